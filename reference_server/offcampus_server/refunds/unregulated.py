"""What a refund's working says of itself where rules ask for more than they tell, or are silent. Pure.

Such a line has no sum: nothing is computed from a rate, a price or a custom that no source names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from offcampus_server.refunds.decisions import Line

AT_FAULT = ("institution_fault", "institution_closed")


def lines(value: Callable[[str], Any], reason: str, *, discounted: bool, materials: bool) -> list[Line]:
    """The lines of an order that was sold at a discount, or with materials.

    Args:
        value: a parameter's value in force at the request; None where nobody has regulated it.
    """
    found = []
    if reason in AT_FAULT and value("refund.interest") is True:
        text_en = "Interest is owed, the institution being at fault; no rate was found: it is not computed here"
        found.append(
            Line("interest", 0, text_en, "机构有过错，应计付利息；未见利率规定，此处不计算", "refund.interest")
        )
    if discounted:
        found.append(_price(value, reason))
    if materials:
        text_en = "Materials are earned with the hours: no rule was found for what was handed out"
        found.append(Line("materials", 0, text_en, "材料费随课时计算；未见已发放材料的计价规定"))
    return found


def _price(value: Callable[[str], Any], reason: str) -> Line:
    rule = "refund.unit_price_basis_at_fault" if reason in AT_FAULT else "refund.unit_price_basis"
    if value(rule) == "deal_price":
        return Line("deal_price", 0, "Consumed hours at the discounted price", "已消课时按优惠后价格计算", rule)
    text_en = "Consumed hours at the discounted price: that another one counts is not regulated in what was seen"
    return Line("deal_price", 0, text_en, "已消课时按优惠后价格计算；所见文本未规定可按其他价格", rule)
