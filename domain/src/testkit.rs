//! Contract suites: one per port, run by every implementation.
