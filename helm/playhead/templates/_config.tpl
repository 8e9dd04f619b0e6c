{{/*
The settings of a service: `config`, the service's own over it, and what other values imply. Only the sections that the service reads, so
that no pod needs a secret that it has no use for. A dict of root and name; the result is JSON.
*/}}
{{- define "playhead.settings" -}}
{{- $sections := dict
  "gateway" (list "http" "telemetry" "batches" "gateway" "kafka")
  "stream-processor" (list "http" "telemetry" "batches" "processor" "kafka" "scylla" "blobs")
  "query-api" (list "http" "telemetry" "batches" "processor" "query_api" "kafka" "scylla" "blobs")
  "migrate" (list "telemetry" "scylla")
-}}
{{- $values := .root.Values -}}
{{- $own := dict "gateway" $values.gateway.config "stream-processor" $values.streamProcessor.config "query-api" $values.queryApi.config "migrate" dict -}}
{{- $merged := mergeOverwrite (deepCopy $values.config) (deepCopy (get $own .name)) -}}
{{- include "playhead.checkSettings" (dict "root" .root "settings" $merged) -}}
{{- include "playhead.implySettings" (dict "root" .root "settings" $merged) -}}
{{- $read := get $sections .name -}}
{{- $result := dict -}}
{{- range $name, $value := $merged -}}
{{- if or (not (kindIs "map" $value)) (has $name $read) -}}
{{- $_ := set $result $name $value -}}
{{- end -}}
{{- end -}}
{{- toJson $result -}}
{{- end -}}

{{- define "playhead.checkSettings" -}}
{{- $settings := .settings -}}
{{- $_ := required "config.kafka.brokers: set it to some brokers, such as kafka-bootstrap.kafka:9092" (get (default dict $settings.kafka) "brokers") -}}
{{- $_ := required "config.scylla.nodes: set it to some nodes, such as scylla-client.scylla:9042" (get (default dict $settings.scylla) "nodes") -}}
{{- $_ := required "config.blobs.url: set it to a bucket, such as s3://recordings" (get (default dict $settings.blobs) "url") -}}
{{- $_ := required "secrets.installationKey: name a secret that has the installation key" .root.Values.secrets.installationKey.name -}}
{{- $_ := required "secrets.adminToken: name a secret that has the administrator's token" .root.Values.secrets.adminToken.name -}}
{{- $root := .root.Values.config -}}
{{- range $section := list "batches" "kafka" -}}
{{- if ne (toJson (get $root $section)) (toJson (get $settings $section)) -}}
{{- fail (printf "config.%s must be the same for every service: set it in config, not in a service's own" $section) -}}
{{- end -}}
{{- end -}}
{{- $idle := list (int64 (default 1800000 (default dict $settings.gateway).session_idle_ms)) (int64 (default 1800000 (default dict $settings.processor).session_idle_ms)) -}}
{{- if ne (index $idle 0) (index $idle 1) -}}
{{- fail "config.gateway.session_idle_ms and config.processor.session_idle_ms must be equal" -}}
{{- end -}}
{{- end -}}

{{/* Sets what other values imply, unless it is set. */}}
{{- define "playhead.implySettings" -}}
{{- $values := .root.Values -}}
{{- $settings := .settings -}}
{{- if $values.ingress.enabled -}}
{{- with $values.ingress.queryApi.host -}}
{{- if not $settings.public_url -}}{{- $_ := set $settings "public_url" (printf "https://%s" .) -}}{{- end -}}
{{- end -}}
{{- with $values.ingress.gateway.host -}}
{{- if not $settings.ingest_url -}}{{- $_ := set $settings "ingest_url" (printf "https://%s" .) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- $certificates := $values.certificates -}}
{{- if or $certificates.kafkaAuthorities.secret $certificates.kafkaAuthorities.configMap -}}
{{- $_ := set $settings.kafka "ssl_ca_location" "/etc/playhead/kafka-authorities/ca.crt" -}}
{{- end -}}
{{- if $certificates.kafkaClient.secret -}}
{{- $_ := set $settings.kafka "ssl_certificate_location" "/etc/playhead/kafka-client/tls.crt" -}}
{{- $_ := set $settings.kafka "ssl_key_location" "/etc/playhead/kafka-client/tls.key" -}}
{{- end -}}
{{- if or $certificates.scyllaAuthorities.secret $certificates.scyllaAuthorities.configMap -}}
{{- $_ := set $settings.scylla "tls_authorities" "/etc/playhead/scylla-authorities/ca.crt" -}}
{{- end -}}
{{- end -}}

{{/* A table as TOML: plain settings, then tables. A dict of path and table. Helm's own toToml writes whole numbers as 1.0. */}}
{{- define "playhead.toml" -}}
{{- range $name, $value := .table }}
{{- if not (kindIs "map" $value) }}
{{ $name }} = {{ include "playhead.tomlValue" $value }}
{{- end }}
{{- end }}
{{- $path := .path }}
{{- range $name, $value := .table }}
{{- if and (kindIs "map" $value) $value }}

[{{ join "." (append $path $name) }}]
{{- include "playhead.toml" (dict "path" (append $path $name) "table" $value) }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "playhead.tomlValue" -}}
{{- if kindIs "float64" . -}}
{{- if eq . (floor .) }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end -}}
{{- else -}}
{{ toJson . }}
{{- end -}}
{{- end -}}

{{/* The configuration file of a service: a dict of root and name. */}}
{{- define "playhead.file" -}}
{{ include "playhead.toml" (dict "path" list "table" (include "playhead.settings" . | fromJson)) | trim }}
{{- end -}}

{{/* How long a pod may take to stop: what the binary waits for (docs/runbook.md), and some seconds. */}}
{{- define "playhead.gracePeriodSeconds" -}}
{{- $http := default dict (include "playhead.settings" . | fromJson).http -}}
{{- $configured := add (int64 (default 0 $http.shutdown_delay_ms)) (int64 (default 5000 $http.drain_timeout_ms)) -}}
{{- /* The last flush takes 10 s at most, the last traces 3, threads 2. */ -}}
{{- add (div (add $configured 999) 1000) 20 -}}
{{- end -}}

{{- define "playhead.listenPort" -}}
{{- regexFind "[0-9]+$" (include "playhead.settings" . | fromJson).listen -}}
{{- end -}}
