"""What every fake is made of: HTTP that may go wrong on request, a record of the calls, and control from outside."""

from qlive_app.fakes.serving.calls import Call, Calls
from qlive_app.fakes.serving.clock import Clock
from qlive_app.fakes.serving.fake import Fake
from qlive_app.fakes.serving.faults import Fault, Faults
from qlive_app.fakes.serving.wire import Answer, Request, json_answer

__all__ = ["Answer", "Call", "Calls", "Clock", "Fake", "Fault", "Faults", "Request", "json_answer"]
