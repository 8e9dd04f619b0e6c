# shellcheck shell=bash disable=SC2154
# Sourced: Apache Kafka in KRaft mode; every broker is a controller as well.

kafka_version=4.1.2
kafka_jars=$software/kafka-$kafka_version
kafka_memory=${PLAYHEAD_SERVICES_KAFKA_MEMORY:-384m}

# How many brokers the cluster has; settled by its first start, as the data belong to that many.
kafka_brokers() { cat "$data/kafka-brokers" 2>/dev/null || echo 3; }

kafka_choose_brokers() {
  [ "$1" = 1 ] || [ "$1" = 3 ] || fail "--kafka-brokers is 1 or 3, not $1"
  if [ "$(kafka_brokers)" != "$1" ] && compgen -G "$data/kafka-?" >/dev/null; then
    fail "the data are those of a cluster of $(kafka_brokers): delete them first, \`scripts/services.sh down --wipe kafka\`"
  fi
  mkdir -p "$data"
  echo "$1" >"$data/kafka-brokers"
}

# Brokers listen on the ports 1 to 3 after the first, controllers on 11 to 13.
kafka_port() { echo $((first_port + ${1#kafka-})); }

kafka_install() {
  fetch_jars "Kafka $kafka_version" "$kafka_jars" "org.apache.kafka:kafka_2.13:$kafka_version" \
    "org.apache.kafka:kafka-tools:$kafka_version" org.slf4j:slf4j-simple:1.7.36
}

kafka_start() {
  local settings=$run/$1.properties java
  java=$(find_java)
  kafka_settings "$1" >"$settings"
  if [ ! -f "$data/$1/meta.properties" ]; then
    # All brokers of a cluster are given the same id; this is one as good as any (16 bytes in base64).
    "$java" -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$kafka_jars/*" kafka.tools.StorageTool format \
      --cluster-id cGxheWhlYWQtbG9jYWwtMQ --config "$settings" >>"$logs/$1.log" 2>&1 || give_up "$1" "cannot be formatted"
  fi
  start_process "$1" "$java" -Xms128m "-Xmx$kafka_memory" -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.showDateTime=true \
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS' -cp "$kafka_jars/*" kafka.Kafka "$settings"
}

kafka_settings() {
  local id=${1#kafka-} brokers voters='' broker in_sync=1
  brokers=$(kafka_brokers)
  for broker in $(seq "$brokers"); do voters+=${voters:+,}$broker@127.0.0.1:$((first_port + 10 + broker)); done
  [ "$brokers" -eq 1 ] || in_sync=2
  cat <<SETTINGS
process.roles=broker,controller
node.id=$id
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:$(kafka_port "$1"),CONTROLLER://127.0.0.1:$((first_port + 10 + id))
advertised.listeners=PLAINTEXT://127.0.0.1:$(kafka_port "$1")
log.dirs=$data/$1
auto.create.topics.enable=false
default.replication.factor=$brokers
min.insync.replicas=$in_sync
offsets.topic.replication.factor=$brokers
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=$brokers
transaction.state.log.min.isr=$in_sync
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=$brokers
share.coordinator.state.topic.min.isr=$in_sync
# The default takes a third of the heap.
log.cleaner.dedupe.buffer.size=16777216
# The first member of an empty group does not wait for others.
group.initial.rebalance.delay.ms=0
SETTINGS
}

# Whether a broker's metadata name all of them.
kafka_answers() {
  # Metadata, version 0: 14 bytes, correlation id 1, no client id, all topics. The answer's third word counts brokers.
  local answer
  answer=$(ask "$(kafka_port "$1")" 0000000e0003000000000001ffff00000000 12) || return 1
  [ "${answer:16:8}" = "$(printf %08x "$(kafka_expected)")" ]
}

# Brokers that run: fault tests start one while another is down.
kafka_expected() {
  local part count=0
  for part in $(list_parts kafka); do if [ "$(state_of "$part")" = running ]; then count=$((count + 1)); fi; done
  echo $count
}

kafka_wait() { wait_until "$1" 120 kafka_answers "$1"; }

kafka_env() {
  local part list=''
  for part in $(list_parts kafka); do list+=${list:+,}127.0.0.1:$(kafka_port "$part"); done
  echo "export PLAYHEAD_TEST_KAFKA=$list"
}
