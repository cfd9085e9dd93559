"""What all tests share: the event loop they run on, and how hard Hypothesis tries."""

import os

import pytest
from hypothesis import HealthCheck, settings

# The first examples of a process compile and import things; a busy machine is not a slow test.
_PATIENT = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("dev", deadline=None, suppress_health_check=_PATIENT)
settings.register_profile(
    "ci", deadline=None, suppress_health_check=_PATIENT, derandomize=True, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run the asynchronous tests on asyncio, which is what the server runs on."""
    return "asyncio"
