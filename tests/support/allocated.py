"""What PyTorch allocates on the CPU, exactly and whatever else the machine does."""

from torch.profiler import ProfilerActivity, profile


def most_bytes(run) -> int:
    """The most bytes that `run` has allocated at any moment, by PyTorch's profiler."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most
