"""The codes of everything `check` and loading can find, each with one line in both languages.

Codes are stable: a build may filter by them. `docs/rules/check-codes.md` says of each what it means, why it matters and
how it is mended; a fixture triggers each, and a near miss does not (`tests/bad_plugins`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PAGE = "docs/rules/check-codes.md"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding. `warning`: reported, and no reason to refuse the plugin."""

    name: str
    en: str
    zh: str
    warning: bool = False

    @property
    def page(self) -> str:
        return f"{PAGE}#{self.name.lower()}"


CODES: Mapping[str, Code] = {
    code.name: code
    for code in (
        Code(
            "R-YAML",
            "text that YAML readers read differently, or not at all",
            "不同读取器会有不同理解、或无法读取的文本",
        ),
        Code("R-BIDI", "an invisible or direction-changing character", "含不可见字符或改变文字方向的字符"),
        Code("R-SCHEMA", "a file has not the shape of the standard", "文件结构不符合标准"),
        Code("R-SOURCE", "a value without its source or confidence", "取值缺少依据或可信度"),
        Code("R-FILE", "a file is missing, or there is one too many", "文件缺失或多余"),
        Code("R-API", "written for another version of the kit's interface", "插件针对另一接口版本编写"),
        Code("R-NAME", "a name that nobody defines, or that is taken", "名称未定义或已被占用"),
        Code("R-SCOPE", "values for a region the plugin does not speak for", "取值的区域不在本插件辖区内"),
        Code("R-UNIT", "a value, direction or comparison that its unit does not have", "取值、方向或比较与单位不符"),
        Code("R-DATE", "dates that contradict each other", "日期相互矛盾"),
        Code("R-OVERLAP", "two values at once", "同一时段有两个取值"),
        Code("R-GAP", "no value between two values", "两个取值之间存在空档"),
        Code("R-LOOSE", "a local value looser than what stands above it", "地方取值宽于上级规定"),
        Code("R-DEAD", "rules that nothing can satisfy", "无法同时满足的规则"),
        Code("R-DELEG", "a local value outside what was left open", "地方取值超出授权范围"),
        Code(
            "R-MSG",
            "a text not in the language it claims, or with a gap nobody fills",
            "文案语言不符或含无法填充的占位符",
        ),
        Code("R-EXT", "an extension that is no JSON Schema or misnamed", "扩展不是合法 JSON Schema 或命名不当"),
        Code("R-EXC", "an exception that only the nation can declare", "例外只能由国家层面声明"),
        Code("R-HOOK", "hooks that cannot be used", "钩子不可用"),
        Code("R-NATION", "no national plugin to check against", "缺少全国规则，无从核对"),
        Code("R-RAISE", "a hook raised an exception", "钩子抛出异常"),
        Code("R-TYPE", "a hook returned something that is no finding", "钩子返回值类型不符"),
        Code("R-SLOW", "a hook took longer than its time", "钩子超时"),
        Code(
            "R-PURE",
            "the same facts were answered differently, or the code could do so",
            "相同事实得到不同结果，或代码可能如此",
        ),
        Code("R-MUT", "a hook changes what it was given", "钩子改动传入的内容"),
        Code("R-CASE", "a case does not come out as written", "用例结果与预期不符"),
        Code("R-UNREACH", "a rule or value that can never apply", "永远不会适用的规则或取值"),
        Code("R-EDGE", "an edge of a value that no case stands on", "取值的边界缺少用例"),
        Code("R-SURVIVOR", "a slip in a value that no case would notice", "取值有误时没有用例能发现"),
        Code("R-STALE", "not checked against the text for a year", "逾一年未与原文核对", warning=True),
        Code(
            "R-CAL",
            "working days beyond the last year whose holidays are known",
            "工作日期限超出已知放假安排",
            warning=True,
        ),
    )
}
"""All codes, in the order in which a reader meets them."""


def rendered() -> str:
    """The table as the README has it."""
    rows = (f"| `{code.name}` | {code.en} | {code.zh} |" for code in CODES.values())
    return "\n".join(("| code | what `check` found | 含义 |", "|---|---|---|", *rows))
