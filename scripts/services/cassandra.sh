# shellcheck shell=bash disable=SC2154
# Sourced: Apache Cassandra, one node. It speaks the CQL that ScyllaDB speaks.

cassandra_version=5.0.8
cassandra_jars=$software/cassandra-$cassandra_version
cassandra_memory=${PLAYHEAD_SERVICES_CASSANDRA_MEMORY:-1g}
# Internals that Cassandra reaches into and that Java 17 keeps closed otherwise.
cassandra_opens="
  java.base/java.io java.base/java.lang java.base/java.lang.module java.base/java.lang.ref java.base/java.lang.reflect
  java.base/java.nio java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic
  java.base/jdk.internal.loader java.base/jdk.internal.math java.base/jdk.internal.misc java.base/jdk.internal.module
  java.base/jdk.internal.ref java.base/jdk.internal.reflect java.base/jdk.internal.util.jar java.base/sun.nio.ch
  java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server
  java.sql/java.sql jdk.management/com.sun.management.internal"

cassandra_port() { echo $((first_port + 21)); }

cassandra_install() {
  fetch_jars "Cassandra $cassandra_version" "$cassandra_jars" "org.apache.cassandra:cassandra-all:$cassandra_version"
}

cassandra_start() {
  local java opens=() package
  java=$(find_java)
  for package in $cassandra_opens; do opens+=("--add-opens=$package=ALL-UNNAMED" "--add-exports=$package=ALL-UNNAMED"); done
  cassandra_settings >"$run/$1.yaml"
  cassandra_logging >"$run/$1.logback.xml"
  # A single node need not wait for others' gossip, nor for superusers that are not used. What is acknowledged needs Kafka at once, and the
  # store a little later.
  start_yielding_process "$1" "$java" -Xms512m "-Xmx$cassandra_memory" "-XX:MaxDirectMemorySize=$cassandra_memory" -XX:+UseSerialGC -Xss512k \
    -XX:+ExitOnOutOfMemoryError "-javaagent:$(echo "$cassandra_jars"/jamm-*.jar)" "${opens[@]}" \
    -Djdk.attach.allowAttachSelf=true "-Djava.io.tmpdir=$run" "-Dlogback.configurationFile=$run/$1.logback.xml" \
    "-Dcassandra.config=file://$run/$1.yaml" "-Dcassandra.storagedir=$data/$1" -Dcassandra-foreground=yes \
    -Dcassandra.ring_delay_ms=100 -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.superuser_setup_delay_ms=0 \
    -cp "$cassandra_jars/*" org.apache.cassandra.service.CassandraDaemon
}

cassandra_settings() {
  local storage_port=$((first_port + 22))
  cat <<SETTINGS
cluster_name: playhead
num_tokens: 4
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
listen_address: 127.0.0.1
storage_port: $storage_port
rpc_address: 127.0.0.1
native_transport_port: $(cassandra_port)
start_native_transport: true
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:$storage_port"
data_file_directories: ["$data/cassandra/data"]
commitlog_directory: $data/cassandra/commitlog
saved_caches_directory: $data/cassandra/saved_caches
hints_directory: $data/cassandra/hints
cdc_raw_directory: $data/cassandra/cdc_raw
commitlog_sync: periodic
commitlog_sync_period: 10000ms
commitlog_total_space: 512MiB
concurrent_reads: 16
concurrent_writes: 16
# Small writes of several sessions share a request (up to 40 KiB), which is not worth a line in the log each time.
batch_size_warn_threshold: 64KiB
batch_size_fail_threshold: 128KiB
unlogged_batch_across_partitions_warn_threshold: 1000
memtable_allocation_type: offheap_objects
file_cache_size: 64MiB
networking_cache_size: 32MiB
hinted_handoff_enabled: false
# What tests drop need not be kept.
auto_snapshot: false
SETTINGS
}

cassandra_logging() {
  cat <<'SETTINGS'
<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{HH:mm:ss.SSS} %-5level [%thread] %logger{1} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
SETTINGS
}

# Whether a query is answered.
cassandra_answers() {
  # CQL, version 4: STARTUP {"CQL_VERSION": "3.0.0"}, answered by READY (02) without a body; then QUERY "SELECT key FROM
  # system.local" with consistency ONE, answered by RESULT (08).
  local startup=0400000001000000160001000b43514c5f56455253494f4e0005332e302e30 query answer
  query=0400000107000000230000001c53454c454354206b65792046524f4d2073797374656d2e6c6f63616c000100
  answer=$(ask "$(cassandra_port)" $startup 9 $query 9) || return 1
  [ "${answer:8:2}${answer:26:2}" = 0208 ]
}

cassandra_wait() { wait_until "$1" 600 cassandra_answers; }

cassandra_env() { echo "export PLAYHEAD_TEST_CQL=127.0.0.1:$(cassandra_port)"; }
