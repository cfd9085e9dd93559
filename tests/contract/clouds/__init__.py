"""The clouds: the fakes that stand in for them, and the adapters against these fakes."""
