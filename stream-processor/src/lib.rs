//! stream-processor.
