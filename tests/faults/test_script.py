from soak.script import Fault, Script


def test_a_fault_strikes_at_its_occurrences_only():
    script = Script([Fault("^PUT", "break", nth=2, times=2)])
    met = [script.fault(message) for message in ("PUT a", "GET b", "PUT c", "PUT d", "PUT e")]
    assert [fault is not None for fault in met] == [False, False, True, True, False]
    assert script.struck == 2


def test_each_fault_counts_for_itself():
    script = Script([Fault("a", "one"), Fault("^PUT", "two", nth=2)])
    met = [script.fault(message) for message in ("PUT a", "PUT b")]
    assert [fault.action if fault else None for fault in met] == ["one", "two"]
