"""What all tests share."""

import signal

import hypothesis

# How fast a machine is says nothing of the code.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

# A shell ignores Ctrl-C for what it starts in the background, and children inherit that: tests that send it need it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
