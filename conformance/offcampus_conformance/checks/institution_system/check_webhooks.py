"""What a vendor's system does with deliveries: verified over the raw bytes, each acted on once, in the right order."""

from __future__ import annotations

from offcampus_conformance.check import check
from offcampus_conformance.expect import equal, status
from offcampus_conformance.finding import deviate
from offcampus_conformance.record import View

P = "institution-system"
TAKEN = (200, 201, 202, 204)


@check(
    "IS-HOOK-001", profile=P, level="MUST", requirements=("M-10.1", "M-17.1"),
    sends="one signed delivery, and the same once more",
    remedy_en="Take a good delivery with 2xx; remember event ids and act on each once, whatever is repeated.",
    remedy_zh="以2xx接收有效推送；记录事件标识，重复推送只处理一次。",
)  # fmt: skip
def each_event_is_acted_on_once(view: View) -> None:
    """A good delivery is taken; its repetition is taken too and changes nothing."""
    status(view.step("webhook.good"), *TAKEN)
    status(view.step("webhook.repeated"), *TAKEN)
    seen = view.step("observed.webhooks")
    equal(1, seen.facts["good_times"], "times that the event was acted on", seen)


@check(
    "IS-HOOK-002", profile=P, level="MUST", requirements=("M-10.1",), needs=("IS-HOOK-001",),
    sends="a delivery whose body was changed after signing",
    remedy_en="Verify signature and Content-Digest over the raw bytes before parsing; refuse with 401.",
    remedy_zh="解析前对原始字节验证签名与 Content-Digest，不符返回401。",
)  # fmt: skip
def tampered_deliveries_are_refused(view: View) -> None:
    """A delivery with a changed body is refused and not acted on."""
    status(view.step("webhook.tampered"), 400, 401, 403)
    seen = view.step("observed.webhooks")
    equal(0, seen.facts["tampered_times"], "times that the tampered event was acted on", seen)


@check(
    "IS-HOOK-003", profile=P, level="MUST", requirements=("M-10.1",), needs=("IS-HOOK-001",),
    sends="a delivery signed an hour ago",
    remedy_en="Refuse signatures older than 300 seconds.",
    remedy_zh="拒绝超过300秒的签名。",
)  # fmt: skip
def stale_deliveries_are_refused(view: View) -> None:
    """A delivery signed an hour ago is refused."""
    status(view.step("webhook.stale"), 400, 401, 403)


@check(
    "IS-HOOK-004", profile=P, level="MUST", requirements=("M-10.1",), needs=("IS-HOOK-001",),
    sends="a delivery signed for another receiver's address, and one by a stranger's key",
    remedy_en="Verify under the platform's published keys only, over the address that you subscribed.",
    remedy_zh="仅以平台公布的公钥、并针对本方订阅地址验证签名。",
)  # fmt: skip
def deliveries_of_others_are_refused(view: View) -> None:
    """A delivery for another receiver, or by another key, is refused."""
    status(view.step("webhook.elsewhere"), 400, 401, 403)
    status(view.step("webhook.foreign_key"), 400, 401, 403)


@check(
    "IS-HOOK-005", profile=P, level="MUST", requirements=("M-10.1",), needs=("IS-HOOK-001",),
    sends="an event of a type that does not exist yet",
    remedy_en="Take events of unknown types with 2xx and leave them alone: tomorrow's platform sends more.",
    remedy_zh="以2xx接收未知类型事件并忽略。",
)  # fmt: skip
def unknown_types_are_taken_and_ignored(view: View) -> None:
    """An event of an unknown type is taken."""
    status(view.step("webhook.unknown_type"), *TAKEN)


@check(
    "IS-HOOK-006", profile=P, level="MUST", requirements=("M-10.1", "M-14.1"), needs=("IS-HOOK-001",),
    sends="the newer event of a subject before the older one",
    remedy_en="Keep the highest sequence per subject; an older event does not overwrite what a newer one said.",
    remedy_zh="按主体保留最大序号，旧事件不得覆盖新状态。",
)  # fmt: skip
def older_events_do_not_overwrite_newer_ones(view: View) -> None:
    """After newer and older arrived in the wrong order, the newer state stands."""
    status(view.step("webhook.newer"), *TAKEN)
    status(view.step("webhook.older"), *TAKEN)
    seen = view.step("observed.webhooks")
    if seen.facts["state_of_reordered"] != "closed":
        deviate("state closed, as the newer event said", f"{seen.facts['state_of_reordered']}", seen)
