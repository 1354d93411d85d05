"""What the first plan of a new process costs is measured in processes of their own."""

from experiments.benchmarks.planner.first_plan import Start, start_process


def test_a_new_process_tells_what_it_needed_until_its_first_plan():
    start = start_process("no rounds", warmed=True)

    assert (start.plan, start.warmed) == ("no rounds", True)
    assert min(start.import_s, start.warm_up_s, start.first_s, start.again_s) > 0


def test_a_ratio_is_that_of_the_first_plan_to_the_next():
    assert Start("usual", warmed=True, import_s=1.0, warm_up_s=1.0, first_s=3.0, again_s=2.0).ratio == 1.5
