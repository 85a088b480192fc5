"""Credit: reserved by active runs, charged when they end."""

RUN = {"processor": "core", "input": "Acme"}


def test_active_runs_reserve_their_price_while_the_balance_is_positive(start, answers):
    answers.go.clear()
    client = start(credit=0.06)
    codes = [client.post("/v1/tasks/runs", json=RUN).status_code for _ in range(3)]
    refused = client.post("/v1/tasks/runs", json=RUN).json()["error"]
    assert codes == [202, 202, 402]
    assert refused["message"] == "Payment required: insufficient credit in account"
    assert refused["detail"] == {"balance_usd": 0.06, "reserved_usd": 0.05}


def test_a_completed_run_is_charged(start):
    client = start(credit=0.03)
    run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    client.get(f"/v1/tasks/runs/{run}/result")
    refused = client.post("/v1/tasks/runs", json=RUN)
    assert refused.json()["error"]["detail"] == {"balance_usd": 0.005, "reserved_usd": 0.0}


def test_the_reserved_price_of_a_cancelled_run_is_released(start):
    client = start(credit=0.025, faults={"cancel": 1})
    for _ in range(3):
        run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
        assert client.get(f"/v1/tasks/runs/{run}/result").status_code == 404


def test_a_run_that_needs_action_keeps_its_reserved_price(start):
    client = start(credit=0.025, faults={"action_required": 1})
    run = client.post("/v1/tasks/runs", json=RUN).json()["run_id"]
    client.get(f"/v1/tasks/runs/{run}/result")
    assert client.post("/v1/tasks/runs", json=RUN).json()["error"]["detail"]["reserved_usd"] == 0.025


def test_credit_covers_a_whole_batch_or_nothing_is_created(start, batch):
    client = start(credit=0.05)
    path = "/v1/tasks/groups/" + client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    assert client.post(f"{path}/runs", json=batch("a", "b", "c")).status_code == 402
    assert client.get(path).json()["status"]["num_task_runs"] == 0
    assert client.post(f"{path}/runs", json=batch("a", "b")).status_code == 200


def test_a_cheaper_processor_still_fits(start):
    client = start(credit=0.03)
    codes = [
        client.post("/v1/tasks/runs", json=RUN | {"processor": name}).status_code
        for name in ("pro", "core", "core", "lite", "lite")
    ]
    assert codes == [402, 202, 402, 202, 402]


def test_without_a_credit_limit_nothing_is_402(start):
    client = start()
    assert client.post("/v1/tasks/runs", json=RUN | {"processor": "ultra8x"}).status_code == 202
