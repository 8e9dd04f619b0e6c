# Thin: each target calls one script. `make up` is where to start.
.PHONY: up build test test-live check bench services services-down

# Build what changed and run everything on ./playhead-data at http://127.0.0.1:7700.
up:
	@scripts/up.sh $(ARGS)

# The SDK, the dashboard, and the release binary that carries both.
build:
	@scripts/build.sh

# Everything that CI runs. `make test STEPS="rust sdk"` runs some steps only.
test:
	@scripts/test.sh $(STEPS)

# The part of it that needs Kafka, Cassandra and an S3 server; starts them if they do not run.
test-live:
	@scripts/test-live.sh $(STEPS)

# Formatting, lints and types, without running tests.
check:
	@scripts/test.sh format lint
	@cd sdk && npm run --silent check
	@cd dashboard && npm run --silent check

# Kafka, Cassandra and an S3 server on this machine, without containers; `scripts/services.sh env` says where they are.
services:
	@scripts/services.sh up $(ARGS)

# Stops them; `make services-down ARGS=--wipe` also deletes their data.
services-down:
	@scripts/services.sh down $(ARGS)

# Figures, as JSON.
bench:
	@scripts/bench.sh
