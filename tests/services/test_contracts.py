"""The data contract of a model, through the services: learning, editing, accepting, publishing, evidence."""

import json

import pytest

from modelops.analyses.base import Run
from modelops.analyses.data_contract import DataContractParameters, data_contract
from modelops.domain.canonical import canonical_bytes
from modelops.domain.contract import Check, Contract, MissingRule, RangeRule, UniqueRule, load_contract, title
from modelops.domain.result import AnalysisResult, Protection
from modelops.domain.review import EvidenceKind
from modelops.errors import Conflict, InvalidInput, NotAllowed, NotFound
from modelops.reports.command import command_line
from modelops.services import contracts, files, reviews, runs
from modelops.store.queries_contracts import newest, published, revisions
from modelops.store.tables import AuditRow, ContractRow, DatasetRow, ReviewRow, RunRow, RunState, VersionRow
from tests.analyses.samples import BINARY_ROLES, binary_columns, evaluation
from tests.services.road import opened

AGE = RangeRule(column="age", low=18.0, high=100.0)
QUESTION = "preprocessing.assumptions"


@pytest.fixture
def model_id(store, people, now):
    review = opened(store, people, now)
    with store.reading() as reader:
        return reader.get(VersionRow, review.version_id, what="version").model_id


@pytest.fixture
def author(people, now):
    return {"actor": people["author"], "at": now}


def begun(store, model_id, author, *rules):
    """Begin a contract with these rules; return its newest revision."""
    row = contracts.begin_contract(store, model_id, **author, name="Applicants")
    for rule in rules:
        row = contracts.put_check(store, model_id, rule, why="Known.", **author, seen=row.revision)
    return row


def finished_run(store, model_id, people, now, **parameters):
    """Store a finished run of the data contract as the runner does."""
    reference = binary_columns(400, seed=9)
    computed = data_contract(
        evaluation(reference, reference=reference, **BINARY_ROLES), DataContractParameters(**parameters), Run()
    )
    result = AnalysisResult(
        analysis="data_contract",
        inputs={},
        task="classification",
        parameters=parameters,
        seed=0,
        environment={},
        protection=Protection(level="A"),
        summary=computed.summary,
        measurements=computed.measurements,
        tables=computed.tables,
    )
    with store.transaction() as t:
        digest = files.keep(store, t, canonical_bytes(result), at=now)
        data = t.add(
            DatasetRow(
                model_id=model_id,
                name="Good rows",
                role="reference",
                digest=digest,
                file_name="good.csv",
                rows=400,
                summary={"format": "csv", "rows": 400, "columns": [], "roles": {}},
                roles={},
                created_by=people["author"].user_id,
                created_at=now,
            )
        )
        policy = t.first(ReviewRow).policy
        return t.add(
            RunRow(
                analysis="data_contract",
                model_id=model_id,
                data_id=data.id,
                request={},
                policy=policy,
                state=RunState.FINISHED,
                requested_by=people["author"].user_id,
                requested_at=now,
                result=digest,
            )
        ).id


def test_every_act_is_a_revision_and_an_audit_entry(store, model_id, author):
    row = begun(store, model_id, author, AGE, UniqueRule(column="case"))
    row = contracts.remove_check(store, model_id, "case: unique", **author, seen=row.revision, reason="Cases repeat.")
    with store.reading() as reader:
        acts = [each.act for each in revisions(reader, model_id, limit=10)]
        entries = [each.action for each in reader.all(AuditRow) if each.action.startswith("contract:")]
    assert acts == ["remove", "add", "add", "begin"]
    assert entries == ["contract:begin", "contract:add", "contract:add", "contract:remove"]
    assert [check.id for check in contracts.contract_of(row).checks] == ["age: range"]


def test_who_writes_a_contract_has_contributed_to_the_model(store, model_id, author):
    begun(store, model_id, author)
    with store.reading() as reader:
        entry = next(each for each in reader.all(AuditRow) if each.action == "contract:begin")
    assert entry.contributes
    assert entry.subject == f"model/{model_id}"


@pytest.mark.parametrize("who", ["reviewer", "approver", "auditor", "administrator"])
def test_only_an_author_edits(store, model_id, author, people, now, who):
    row = begun(store, model_id, author, AGE)
    with pytest.raises(NotAllowed):
        contracts.accept_checks(store, model_id, ["age: range"], actor=people[who], at=now, seen=row.revision)
    with store.reading() as reader:
        assert newest(reader, model_id).revision == row.revision


def test_an_edit_of_an_old_revision_is_refused(store, model_id, author):
    row = begun(store, model_id, author, AGE)
    with pytest.raises(Conflict, match="Somebody else changed"):
        contracts.put_check(store, model_id, UniqueRule(column="a"), why="x", **author, seen=row.revision - 1)


def test_a_second_contract_of_a_model_is_refused(store, model_id, author):
    begun(store, model_id, author)
    with pytest.raises(Conflict):
        contracts.begin_contract(store, model_id, **author, name="Another")


def test_a_changed_rule_loses_its_acceptance_and_a_changed_reason_does_not(store, model_id, author):
    row = begun(store, model_id, author, AGE)
    row = contracts.accept_checks(store, model_id, ["age: range"], **author, seen=row.revision)
    assert contracts.contract_of(row).check("age: range").accepted_by == "Author"
    row = contracts.put_check(
        store, model_id, AGE, why="Asked the desk.", **author, seen=row.revision, check_id="age: range"
    )
    assert contracts.contract_of(row).check("age: range").is_accepted
    wider = RangeRule(column="age", low=16.0, high=100.0)
    row = contracts.put_check(store, model_id, wider, why="16 now.", **author, seen=row.revision, check_id="age: range")
    assert not contracts.contract_of(row).check("age: range").is_accepted


def test_nothing_changed_is_said(store, model_id, author):
    row = begun(store, model_id, author, AGE)
    with pytest.raises(InvalidInput, match="Nothing was changed"):
        contracts.put_check(store, model_id, AGE, why="Known.", **author, seen=row.revision, check_id="age: range")


def test_what_is_accepted_already_is_not_accepted_again(store, model_id, author):
    row = begun(store, model_id, author, AGE)
    row = contracts.accept_checks(store, model_id, ["age: range"], **author, seen=row.revision)
    with pytest.raises(Conflict, match="accepted already"):
        contracts.accept_checks(store, model_id, ["age: range"], **author, seen=row.revision)
    with pytest.raises(NotFound):
        contracts.accept_checks(store, model_id, ["nothing"], **author, seen=row.revision)


def test_versions_count_what_was_published(store, model_id, author):
    row = begun(store, model_id, author, AGE)
    row = contracts.publish(store, model_id, **author, seen=row.revision, reason="First.")
    assert (row.version, contracts.contract_of(row).version) == (1, 1)
    with pytest.raises(Conflict, match="published already"):
        contracts.publish(store, model_id, **author, seen=row.revision, reason="Again.")
    row = contracts.put_check(store, model_id, UniqueRule(column="case"), why="x", **author, seen=row.revision)
    assert contracts.contract_of(row).version == 0
    with store.reading() as reader:
        assert published(reader, model_id).version == 1
    assert contracts.publish(store, model_id, **author, seen=row.revision, reason="Second.").version == 2


def test_an_empty_contract_is_not_published(store, model_id, author):
    row = begun(store, model_id, author)
    with pytest.raises(InvalidInput, match="no checks yet"):
        contracts.publish(store, model_id, **author, seen=row.revision, reason="First.")


def test_a_stored_revision_cannot_be_changed(store, model_id, author):
    row = begun(store, model_id, author, AGE)
    with pytest.raises(Exception, match="contract is append-only"), store.transaction() as t:
        t.get(ContractRow, row.id, what="revision").body = "{}"


def test_a_run_teaches_and_what_a_person_decided_stays(store, model_id, author, people, now):
    run_id = finished_run(store, model_id, people, now)
    row = contracts.take_over(store, model_id, run_id, **author, seen=0)
    learned = contracts.contract_of(row)
    assert row.run_id == run_id
    assert learned.check("age: range").origin == "learned"
    mine = RangeRule(column="age", low=18.0)
    row = contracts.put_check(store, model_id, mine, why="The law.", **author, seen=row.revision, check_id="age: range")
    row = contracts.accept_checks(store, model_id, ["income: range"], **author, seen=row.revision)
    kept = contracts.contract_of(row).check("income: range")
    again = finished_run(store, model_id, people, now, range_tolerance=1.0, held_out_share=0.3)
    row = contracts.take_over(store, model_id, again, **author, seen=row.revision)
    after = contracts.contract_of(row)
    assert after.check("age: range").rule == mine
    assert after.check("income: range") == kept
    assert [check.id for check in after.checks] == [check.id for check in learned.checks]


def test_a_run_of_a_made_up_contract_teaches_no_acceptance_and_no_rate(store, model_id, author, people, now):
    rate = {"alarms": 0, "batches": 1_000_000, "batch_rows": 1}
    forged = Check(id="age: range", rule=AGE, why="Agreed.", origin="learned", false_alarms=rate)
    text = Contract(name="Forged", checks=(forged.accepted("Approver", at=now),)).text
    run = finished_run(store, model_id, people, now, contract=text)
    row = contracts.take_over(store, model_id, run, **author, seen=0)
    (check,) = load_contract(row.body).checks
    assert (check.accepted_by, check.accepted_at, check.false_alarms, check.origin) == (None, None, None, "stated")


def test_the_same_run_teaches_once(store, model_id, author, people, now):
    run_id = finished_run(store, model_id, people, now)
    row = contracts.take_over(store, model_id, run_id, **author, seen=0)
    with pytest.raises(Conflict, match="teaches nothing"):
        contracts.take_over(store, model_id, run_id, **author, seen=row.revision)


def test_a_stated_check_gets_its_rate_of_false_alarms_from_a_run(store, model_id, author, people, now):
    row = begun(store, model_id, author, MissingRule(column="age", at_most=0.0))
    text = contracts.contract_of(row).text
    run_id = finished_run(store, model_id, people, now, contract=text, batch_rows=40)
    row = contracts.take_over(store, model_id, run_id, **author, seen=row.revision)
    found = contracts.contract_of(row).checks[0]
    assert (found.origin, found.false_alarms.alarms, found.false_alarms.batches) == ("stated", 0, 10)


def test_the_published_contract_is_evidence_with_its_digest(store, model_id, author):
    row = begun(store, model_id, author, AGE)
    with store.reading() as reader:
        review_id = reader.first(ReviewRow).id
    with pytest.raises(Conflict, match="Publish one first"):
        contracts.attach_contract(store, review_id, QUESTION, **author)
    row = contracts.publish(store, model_id, **author, seen=row.revision, reason="First.")
    proof = contracts.attach_contract(store, review_id, QUESTION, **author)
    assert proof.kind is EvidenceKind.RECORD
    assert proof.title == "Data contract, version 1"
    assert "age: range: from 18 to 100. Why: Known." in proof.text
    assert row.digest in proof.text


def test_a_long_contract_is_a_file_on_the_command_line(store, model_id, people, now):
    run_id = finished_run(store, model_id, people, now)
    with store.reading() as reader:
        result = runs.result(store, reader.get(RunRow, run_id, what="run"))
    command = command_line(result.model_copy(update={"parameters": {"contract": "{" * 2_000, "rows": 500}}))
    assert command.endswith(' --param "contract=$(cat CONTRACT)"')
    assert "--param rows=500" in command


def test_a_long_contract_is_cut_with_how_much_is_left_out(now):
    contract = contracts.merged(
        contracts.Contract(name="Wide", version=1),
        [Check(id=f"c{i}", rule=UniqueRule(column=f"c{i}"), why="x" * 100) for i in range(400)],
    )
    text = contracts.as_text(contract)
    assert len(text) <= 20_000
    assert "more checks." in text
    assert text.endswith(contract.digest)


def test_the_run_under_a_question_takes_the_published_contract(store, model_id, author, people, now):
    finished_run(store, model_id, people, now)
    row = begun(store, model_id, author, AGE)
    row = contracts.publish(store, model_id, **author, seen=row.revision, reason="First.")
    with store.reading() as reader:
        review_id = reader.first(ReviewRow).id
        data = reader.first(DatasetRow)
    reviews.use_dataset(store, review_id, data.id, **author)
    run = runs.run_for_question(store, "data_contract", review_id, "preprocessing.checks", **author)
    assert json.loads(run.request["parameters"]["contract"]) == json.loads(row.body)


def test_thousands_of_checks_are_accepted_in_one_go(store, model_id, author, monkeypatch):
    rules = [UniqueRule(column=f"column {number}") for number in range(300)]
    contract = Contract(name="Many", checks=tuple(Check(id=title(rule), rule=rule, why="Known.") for rule in rules))
    contracts.begin_contract(store, model_id, **author, name="Many")
    read = []
    monkeypatch.setattr(contracts, "contract_of", lambda row: contract)
    monkeypatch.setattr("modelops.domain.contract.load_contract", lambda text: read.append(text) or load_contract(text))
    row = contracts.accept_checks(store, model_id, [check.id for check in contract.checks], **author, seen=1)
    assert all(check.is_accepted for check in load_contract(row.body).checks)
    assert len(read) == 1
