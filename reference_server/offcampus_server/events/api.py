"""Operations of the event feed, of subscriptions, and of decisions."""

from __future__ import annotations

from sqlalchemy import RowMapping

from offcampus_server.events import service
from offcampus_server.events.tables import subscriptions
from offcampus_server.kernel import resources
from offcampus_server.kernel.contract import Answer, Call, Handlers
from offcampus_server.kernel.decisions import decisions
from offcampus_server.kernel.unit_of_work import Work

handlers = Handlers()


@handlers("listEvents")
def list_events(call: Call, work: Work) -> Answer:
    """The feed."""
    return service.feed(call, work)


@handlers("createSubscription")
def create_subscription(call: Call, work: Work) -> Answer:
    """Subscribe."""
    return service.subscribe(call, work, development=work.source.startswith("http://"))


@handlers("listSubscriptions")
def list_subscriptions(call: Call, work: Work) -> Answer:
    """The caller's own subscriptions."""
    assert work.party is not None
    own = subscriptions.c.party_id == work.party.id
    return resources.page(call, work, subscriptions, service.present, scope=own)


@handlers("getSubscription")
def get_subscription(call: Call, work: Work) -> Answer:
    """One subscription."""
    row = service.mine(work, call.path["subscription_id"])
    if call.if_none_match == row["version"]:
        return Answer(304, None, row["version"])
    return Answer(200, service.present(row), row["version"])


@handlers("deleteSubscription")
def delete_subscription(call: Call, work: Work) -> Answer:
    """Unsubscribe."""
    return service.unsubscribe(call, work)


@handlers("redeliverEvents")
def redeliver_events(call: Call, work: Work) -> Answer:
    """Deliver again from an event on."""
    return service.redeliver(call, work)


@handlers("listDecisions")
def list_decisions(call: Call, work: Work) -> Answer:
    """Decisions of the caller's region."""
    return resources.page(call, work, decisions, _decision)


@handlers("getDecision")
def get_decision(call: Call, work: Work) -> Answer:
    """One decision."""
    return Answer(200, _decision(resources.find(work, decisions, call.path["decision_id"])))


def _decision(row: RowMapping) -> dict[str, object]:
    return dict(row["document"])
