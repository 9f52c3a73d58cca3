"""A rule set: the plugins' rules put together, and the questions that can be asked of them.

Invariants
- Immutable and pure: the same facts give the same decision; caches hold only what can be computed again.
- The nation's floor is judged by itself beside the rules of a place (`witness`): a finding that is lacking is added,
  with an alarm.
- Every applicable rule of every level is judged; nothing but a national exception lifts a rule, and the decision says
  so (`exceptions_applied`); order of plugins cannot be seen.
- A plugin that could not be loaded, or fails in a hook, closes the gates of its region, each by its failure policy:
  a charge, course or lesson is answered with `error`, a consumption or release is held; a silent confirmation does not
  run while it is out; a refund falls back to the rules that are there, since refusing it would harm the payer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, get_args

from offcampus_rules import (
    deadlines,
    declarations,
    digests,
    effective,
    figures,
    judge,
    looser,
    proposals,
    screening,
    witness,
)
from offcampus_rules.assembly import Assembly
from offcampus_rules.calendar import shanghai_date
from offcampus_rules.context import (
    Charge,
    Confirmation,
    Consumption,
    CourseFiling,
    Facts,
    GovernedBy,
    InstitutionWindow,
    InstitutionYear,
    LessonPlan,
    ListChange,
    ListReview,
    PriceRequest,
    RefundRefusal,
    RefundRequest,
    Release,
    ReleasePlanRequest,
    ReserveCase,
    Scope,
    StaffRecord,
)
from offcampus_rules.decision import (
    LEVELS,
    Alarm,
    Deadline,
    Decision,
    Figure,
    Outcome,
    PluginInfo,
    RefundTerms,
    Value,
    Violation,
)
from offcampus_rules.declarations import Field, LevelHere
from offcampus_rules.errors import FileProblem, RuleSetError
from offcampus_rules.hook_answers import Added, HookAnswers
from offcampus_rules.hook_table import HOOK_TABLE, OUTCOME_ON_FAILURE
from offcampus_rules.parameters import NATION, Parameter, level_of, within
from offcampus_rules.plans import Plan
from offcampus_rules.plugin import Plugin
from offcampus_rules.rules import Gate
from offcampus_rules.valuing import Valuing

_GOVERNED_BY: tuple[GovernedBy, ...] = ("contract_date", "event_date", "report_date")
_CACHE_LIMIT = 8192
_NOTHING: Added = ((), ())
_GOVERNING: Mapping[Gate, Callable[[Any], date]] = {
    "charge": lambda case: case.signed_on,
    "course": lambda case: case.filed_on,
    "lesson": lambda case: shanghai_date(case.starts_at),
    "staff": lambda case: case.asked_on,
    "consumption": lambda case: shanghai_date(case.occurred_from),
    "release": lambda case: case.signed_on,
    "refund_refusal": lambda case: shanghai_date(case.requested_at),
    "list_change": lambda case: case.changed_on,
    "risk": lambda case: case.until,
}
"""The date whose law a decision names; each parameter still says which of the case's dates selects its value."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A plugin that is not in the set, and why; `jurisdiction` None: nobody knows whose rules it would have been."""

    name: str
    jurisdiction: str | None
    reason: str
    problems: tuple[FileProblem, ...] = ()
    by_choice: bool = False
    """The operator's lock leaves it out: nothing is wrong."""

    def alarm(self, hook: str) -> Alarm:
        return Alarm(self.name, hook, "not loaded")


class RuleSet:
    """See the module. Build one with `load_ruleset` or `build`."""

    def __init__(
        self,
        assembly: Assembly,
        rejected: tuple[Rejected, ...],
        official_only: bool = False,
        digest: str | None = None,
        guarded: bool = False,
        witnessed: bool = False,
    ) -> None:
        self._assembly = _official(assembly) if official_only else assembly
        self.rejected = rejected
        self.official_only = official_only
        self.advisory: RuleSet | None = None
        self.plugins: tuple[PluginInfo, ...] = tuple(plugin.info for plugin in assembly.plugins)
        self.digest = digest or digests.digest(
            {"official_only": official_only, "plugins": [info.to_json() for info in self.plugins]}
        )
        self._hooks = HookAnswers(self._assembly, guarded)
        self._valuing = Valuing(self._hooks, self._look_at, self._absent)
        self._witness = witness.Witness(self._assembly) if witnessed else None
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._periods: dict[tuple[Any, ...], Plan] = {}
        self._breaks: dict[tuple[Gate, GovernedBy], tuple[date, ...] | None] = {}
        self._clocks = {kind: judge.clocks(self._assembly, kind) for kind in get_args(Gate)}
        hooks = {name for plugin in self._assembly.plugins for name in plugin.hooks}
        self._hooked: frozenset[Gate] = frozenset(kind for kind in get_args(Gate) if f"check_{kind}" in hooks)
        self._regions: dict[str, tuple[PluginInfo, ...]] = {}
        self._extensions = declarations.schemas(self._assembly.plugins)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Every parameter's definition by its id."""
        return self._assembly.definitions

    @property
    def assembly(self) -> Assembly:
        """The plugins' content, for tools that list or check it."""
        return self._assembly

    def advised_by(self, advisory: RuleSet) -> RuleSet:
        """This set, with decisions that tell beside them (`advised`) what the other set would refuse as well."""
        advised = copy(self)
        advised.advisory = advisory
        return advised

    def trying(self, assembly: Assembly) -> RuleSet:
        """These rules with other content, for tools that try a change out; answers still carry this set's digest."""
        return RuleSet(assembly, self.rejected, digest=self.digest)

    @property
    def extension_schemas(self) -> Mapping[str, Any]:
        """JSON Schemas of the province extensions, by namespace (`x-<province>`): only these may be sent.

        They come from the plugins' files, and from what their Python declares (`disclosure_fields`).
        """
        return self._extensions

    @property
    def extension_fields(self) -> tuple[Field, ...]:
        """Every field of every extension, with the plugin and the line that say so."""
        return tuple(field for plugin in self._assembly.plugins for field in declarations.fields(plugin))

    def warning_levels(self, scope: Scope, on: date) -> tuple[LevelHere, ...]:
        """The levels of warning at a place and date, lowest first; none where nobody set any."""

        def look(name: str) -> Value:
            return self.value(name, scope, on) if name in self._assembly.definitions else effective.undefined(name)

        return declarations.here(self._assembly.levels, scope.region, look, look(declarations.LEVELS))

    def reports(self) -> tuple[FileProblem, ...]:
        """Local values that would loosen what stands above them; they never take effect."""
        return tuple(
            problem
            for name, parameter in sorted(self._assembly.definitions.items())
            for problem in looser.find(parameter, self._assembly.entries.get(name, ()))
        )

    def value(self, parameter: str, scope: Scope, on: date) -> Value:
        """The effective value at a place and date. Raises KeyError for a parameter that nobody defines."""
        definition = self._assembly.definitions[parameter]
        return effective.effective(definition, self._assembly.entries.get(parameter, ()), scope, on)

    def check_charge(self, case: Charge) -> Decision:
        """May this pre-charge be agreed? (M-07.3)"""
        return self._decide("charge", case)

    def check_course(self, case: CourseFiling) -> Decision:
        """May this course go on sale? The caps on charges bind the charge, not the filing. (M-07.4)"""
        return self._decide("course", case)

    def check_lesson(self, case: LessonPlan) -> Decision:
        """May this lesson stand on the timetable?"""
        return self._decide("lesson", case)

    def check_consumption(self, case: Consumption) -> Decision:
        """Can this consumption be true and lawful? (M-07.2, M-14.1)"""
        return self._decide("consumption", case)

    def check_release(self, case: Release) -> Decision:
        """May this sum leave custody? (M-18.1)"""
        return self._decide("release", case)

    def check_staff(self, case: StaffRecord) -> Decision:
        """May this person work there?"""
        return self._decide("staff", case)

    def check_refund_refusal(self, case: RefundRefusal) -> Decision:
        """May the institution refuse this refund? `refuse` means that its refusal is not accepted. (M-18.2)"""
        return self._decide("refund_refusal", case)

    def check_list_change(self, case: ListChange) -> Decision:
        """May the institution's list status change like this?"""
        return self._decide("list_change", case)

    def confirmation_due(self, case: Confirmation) -> Deadline:
        """When silence confirms a lesson; a plugin's Python can only postpone it. While one is out the clock stands."""
        answer = deadlines.confirmation_due(case, lambda name, on: self.value(name, case.scope, on))
        proposed, failed = self._proposed("confirmation_due", case)
        alarms = (*self._absent(case.scope.region, "confirmation_due"), *failed)
        if alarms:
            return replace(answer, due_at=None, alarms=alarms)
        return deadlines.postponed(answer, proposed) if proposed else answer

    def refund_terms(self, case: RefundRequest) -> RefundTerms:
        """What binds a refund. A plugin that is out is told (`alarms`) and never stands in a refund's way."""
        answer = deadlines.refund_terms(case, lambda name, on: self.value(name, case.scope, on))
        worked = figures.refund_sum(case, answer.full, self._look_at(case))
        if worked is not None:
            answer = deadlines.with_sum(answer, worked.result, worked.working, worked.values)
        proposed, failed = self._proposed("refund_terms", case)
        answer = deadlines.bettered(answer, proposed) if proposed else answer
        alarms = (*self._absent(case.scope.region, "refund_terms"), *failed)
        return replace(answer, alarms=alarms) if alarms else answer

    def price_limit(self, case: PriceRequest) -> Figure:
        """What a course's hours may cost in all: `amount_fen`."""
        return self._valuing.price(case)

    def release_plan(self, case: ReleasePlanRequest) -> Figure:
        """How an order's money leaves custody: `mode`, and `steps` of days and cumulative shares (none: by lesson)."""
        return self._valuing.plan(case)

    def reserve_required(self, case: ReserveCase) -> Figure:
        """What an institution must keep aside: `amount_fen`."""
        return self._valuing.reserve(case)

    def warning(self, case: InstitutionWindow) -> Figure:
        """Signs of risk in an institution's figures, and the `level` they amount to."""
        return self._valuing.warning(case, self.plan("risk", case), self.warning_levels(case.scope, case.until))

    def credit(self, case: InstitutionYear) -> Figure:
        """An institution's `points` and `grade` of a year."""
        return self._valuing.credit(case)

    def list_transitions(self, case: ListReview) -> Figure:
        """Where an institution on the lists should go: `to`. Nothing changes by itself."""
        return self._valuing.lists(case)

    def _look_at(self, case: Facts) -> Callable[[str], Value]:
        lookup = self._hooks.lookup(case)

        def look(name: str) -> Value:
            value = lookup(name)
            return value if value is not None else effective.undefined(name)

        return look

    def _proposed(self, hook: str, case: Any) -> proposals.Proposed:
        return proposals.gather(self._hooks, hook, case)

    def check_many(self, kind: Gate, cases: Sequence[Facts]) -> list[Decision]:
        """Many cases of one gate at once: the same decisions, with one crossing to each plugin's worker."""
        added = self._added(kind, cases)
        return [self._decision(kind, case, *more) for case, more in zip(cases, added, strict=True)]

    def _decide(self, kind: Gate, case: Facts) -> Decision:
        if kind not in self._hooked and not self.rejected:
            return self._decision(kind, case, (), ())
        return self._decision(kind, case, *self._added(kind, (case,))[0])

    def _added(self, kind: Gate, cases: Sequence[Facts]) -> list[Added]:
        """What the plugins' Python adds, and which plugins of the region are out or failed."""
        name = f"check_{kind}"
        if kind not in self._hooked and not self.rejected:
            return [_NOTHING] * len(cases)
        answered = self._hooks.gate(kind, cases)
        return [
            (found, (*self._absent(case.scope.region, name), *alarms))
            for case, (found, alarms) in zip(cases, answered, strict=True)
        ]

    def _decision(self, kind: Gate, case: Facts, added: tuple[Violation, ...], alarms: tuple[Alarm, ...]) -> Decision:
        plan = self.plan(kind, case)
        found = screening.judge(plan, case)
        violations = found.violations if not added else _ordered((*found.violations, *added))
        if plan.floor is not None and (lacking := witness.unnamed(plan.floor, case, violations)):
            violations = _ordered((*violations, *lacking))
            alarms = (*alarms, *self._floor_alarms(kind, case, lacking))
        advised: tuple[Violation, ...] = ()
        if self.advisory is not None:
            other = self.advisory.check_many(kind, [case])[0]
            advised = tuple(item for item in other.violations if item not in violations)
        return Decision(
            outcome="refuse" if violations else _on_failure(kind) if alarms else "allow",
            kind=kind,
            violations=violations,
            obligations=() if violations else found.obligations,
            values=found.values,
            governing_date=_GOVERNING[kind](case),
            ruleset_digest=self.digest,
            plugins=self._speaking(case.scope.region),
            facts=case,
            not_evaluated=found.not_evaluated,
            alarms=alarms,
            exceptions_applied=found.exceptions,
            advised=advised,
        )

    def clocks(self, kind: Gate) -> tuple[GovernedBy, ...]:
        """The dates a gate's rules depend on."""
        return self._clocks[kind]

    def breaks(self, kind: Gate, clock: GovernedBy) -> tuple[date, ...] | None:
        """The dates on which anything changes for a gate; None: values compare differently from day to day."""
        if (kind, clock) not in self._breaks:
            self._breaks[kind, clock] = judge.breaks(self._assembly, kind, clock)
        return self._breaks[kind, clock]

    def plan(self, kind: Gate, case: Facts) -> Plan:
        """What is asked of a case; the plan is one and the same for all dates between two changes of the law."""
        scope = case.scope
        dates = [case.date_for(governed_by) for governed_by in self._clocks[kind]]
        key = (kind, scope.region, scope.sector, scope.stage, scope.delivery, *dates)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _CACHE_LIMIT:
                self._plans.clear()
            plan = self._plans[key] = self._period_plan(kind, case)
        return plan

    def _period_plan(self, kind: Gate, case: Facts) -> Plan:
        scope = case.scope
        every = {governed_by: case.date_for(governed_by) for governed_by in _GOVERNED_BY}
        periods = [self._period(kind, clock, every[clock]) for clock in self._clocks[kind]]
        key = (kind, scope.region, scope.sector, scope.stage, scope.delivery, *periods)
        plan = self._periods.get(key)
        if plan is None:
            if len(self._periods) >= _CACHE_LIMIT:
                self._periods.clear()
            plan = judge.compile_plan(self._assembly, kind, scope, every)
            if self._witness is not None:
                floor = self._witness.plan(kind, scope, every)
                if kind in self._hooked or not witness.kept(plan, floor):
                    plan = replace(plan, floor=floor)
            self._periods[key] = plan
        return plan

    def _period(self, kind: Gate, clock: GovernedBy, day: date) -> int:
        breaks = self.breaks(kind, clock)
        return day.toordinal() if breaks is None else bisect_right(breaks, day)

    def _speaking(self, region: str) -> tuple[PluginInfo, ...]:
        known = self._regions.get(region)
        if known is None:
            known = tuple(info for info in self.plugins if within(region, info.jurisdiction))
            if len(self._regions) < _CACHE_LIMIT:
                self._regions[region] = known
        return known

    def _floor_alarms(self, kind: Gate, case: Facts, lacking: tuple[Violation, ...]) -> tuple[Alarm, ...]:
        """Nobody can tell whose work it was: everybody who speaks there is named."""
        rules = ", ".join(sorted({item.rule for item in lacking}))
        speaking = self._speaking(case.scope.region)
        return tuple(
            Alarm(info.distribution, f"check_{kind}", f"would have hidden what the nation's floor finds: {rules}")
            for info in speaking
            if info.jurisdiction != NATION or len(speaking) == 1
        )

    def _absent(self, region: str, hook: str) -> tuple[Alarm, ...]:
        return tuple(
            item.alarm(hook)
            for item in self.rejected
            if item.jurisdiction is not None and within(region, item.jurisdiction)
        )


def _on_failure(kind: Gate) -> Outcome:
    return OUTCOME_ON_FAILURE[HOOK_TABLE[f"check_{kind}"].on_failure]


def _ordered(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """One order whatever the plugins' order was, and no finding twice."""
    ranked = sorted(violations, key=_rank)
    return tuple(item for item, before in zip(ranked, (None, *ranked), strict=False) if item != before)


def _rank(item: Violation) -> tuple[int, str, str, str, str, str, str]:
    return LEVELS[item.level], item.region, item.rule, item.fact, item.given, item.allowed, item.code


def _official(assembly: Assembly) -> Assembly:
    entries = {
        name: tuple(entry for entry in known if entry.value is None or entry.confidence == "official")
        for name, known in assembly.entries.items()
    }
    declared = {name: item for name, item in assembly.exceptions.items() if item.confidence == "official"}
    activations = tuple(
        item for item in assembly.activations if item.confidence == "official" and item.exception in declared
    )
    return replace(assembly, entries=entries, exceptions=declared, activations=activations)


def build(
    plugins: Sequence[Plugin],
    rejected: Sequence[Rejected] = (),
    *,
    official_only: bool = False,
    guarded: bool = False,
) -> RuleSet:
    """Put plugins together. A plugin that does not fit is rejected whole; without the nation's there are no rules.

    `guarded`, for a server: a plugin whose Python fails again and again is left out for a while (`quarantine`).
    """
    assembly, turned_away = Assembly(), list(rejected)
    for jurisdiction, group in _by_jurisdiction(plugins):
        if len(group) > 1:
            names = ", ".join(f"{plugin.info.distribution} at {plugin.root}" for plugin in group)
            turned_away.extend(
                Rejected(plugin.info.distribution, jurisdiction, f"{jurisdiction} is claimed twice: {names}")
                for plugin in group
            )
            continue
        assembly, problems = assembly.with_plugin(group[0])
        if problems:
            reason = "\n".join(str(problem) for problem in problems)
            turned_away.append(Rejected(group[0].info.distribution, jurisdiction, reason, problems))
    if not any(plugin.jurisdiction == NATION for plugin in assembly.plugins):
        reasons = (
            "\n".join(f"{item.name}: {item.reason}" for item in turned_away) or "no plugin for 000000 is installed"
        )
        problems = tuple(problem for item in turned_away if item.jurisdiction == NATION for problem in item.problems)
        raise RuleSetError(f"there is no national plugin, so nothing can be decided\n{reasons}", problems)
    return RuleSet(assembly, tuple(turned_away), official_only, guarded=guarded, witnessed=True)


def _by_jurisdiction(plugins: Iterable[Plugin]) -> list[tuple[str, tuple[Plugin, ...]]]:
    """Groups from the nation down; the same folder found twice counts once."""
    order = ("nation", "province", "city", "county")
    groups: dict[str, dict[Any, Plugin]] = {}
    for plugin in plugins:
        group = groups.setdefault(plugin.jurisdiction, {})
        group[(plugin.info.distribution, plugin.root.resolve())] = plugin
    ranked = sorted(groups, key=lambda jurisdiction: (order.index(level_of(jurisdiction)), jurisdiction))
    return [(jurisdiction, tuple(groups[jurisdiction].values())) for jurisdiction in ranked]
