"""The pages do what they say: every Python snippet runs, in the order of its page, against a platform of the contract."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from offcampus_sdk import Client, Key
from offcampus_sdk.importing import mapping
from offcampus_sdk.testing import FakePlatform
from offcampus_sdk.testing.documents import example
from offcampus_sdk.testing.serving import serving

ROOT = Path(__file__).parents[2]
PAGES = ["docs/sdk/quickstart.md", "docs/sdk/quickstart.zh.md", "docs/sdk/howto.md", "sdk/README.md"]
SNIPPET = re.compile(r"```python\n(.*?)```", re.DOTALL)


def snippets(page: str) -> list[str]:
    return SNIPPET.findall((ROOT / page).read_text(encoding="utf-8"))


def filled(platform: FakePlatform) -> None:
    """What the pages' platform has: an institution, a campus, a paid order."""
    now = "2026-09-01T00:00:00+08:00"
    platform.store.create("institutions", example("institution"), now)
    platform.store.create("campuses", example("campus"), now)
    order = platform.store.create("orders", {**example("order"), "external_id": "ORDER-0"}, now).body
    platform.pay(order["id"])


@pytest.mark.parametrize("page", PAGES)
def test_every_snippet_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after another, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    key = Key.generate()
    key.save(tmp_path / "vendor.json")
    found, made = snippets(page), []
    assert found
    start = Client.__init__
    monkeypatch.setattr(Client, "__init__", lambda self, *a, **k: (made.append(self), start(self, *a, **k))[1])
    with serving(FakePlatform(key=key)) as platform:
        filled(platform)
        names: dict[str, Any] = {}
        for number, source in enumerate(found, start=1):
            if "Witness(" in source:
                continue  # a fake has no log; the witness has tests of its own against the reference server
            text = source.replace("https://platform.example", platform.base_url).replace("pty_…", platform.client_id)
            exec(compile(text, f"{page} snippet {number}", "exec"), names)
        for client in made:
            client.close()


def test_both_quick_starts_have_the_same_snippets() -> None:
    """A reader of either language types the same program; only the comments differ."""
    both = [[re.sub(r"\s*#.*", "", source) for source in snippets(page)] for page in PAGES[:2]]
    assert both[0] == both[1]


def test_the_mappings_page_names_what_comes_along() -> None:
    """Every shipped mapping, every kind."""
    text = (ROOT / "docs/sdk/mappings.md").read_text(encoding="utf-8")
    for name in mapping.shipped():
        assert name in text
    for kind in mapping.Kind.__args__:  # type: ignore[attr-defined]
        assert f"`{kind}`" in text
