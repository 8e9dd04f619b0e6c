{{/* From the log to rows. Thresholds are those of docs/runbook.md. A dict of facts: see prometheus-rule.yaml. */}}
{{- define "playhead.processingAlerts" -}}
- alert: PlayheadProcessorsAreGone
  expr: >-
    absent(up{job="{{ .job }}-stream-processor",{{ .of }}} == 1)
  for: 5m
  labels: {severity: critical}
  annotations:
    summary: 'No stream-processor answers. Batches wait in the log, for as long as it keeps them.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#lag-grows
    {{- end }}
- alert: PlayheadPartitionsAreNotConsumed
  expr: >-
    sum(playhead_processor_partitions{job="{{ .job }}-stream-processor",{{ .of }}}) < {{ .partitions }}
  for: 10m
  labels: {severity: critical}
  annotations:
    summary: 'Only {{ "{{ $value }}" }} of {{ .partitions }} partitions are consumed; the log of a processor says which one cannot be taken over.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#lag-grows
    {{- end }}
- alert: PlayheadLagGrows
  expr: >-
    max(playhead_processor_lag_seconds{job="{{ .job }}-stream-processor",{{ .of }}}) > 60
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: 'The oldest batch that is not processed waits for {{ "{{ $value | humanizeDuration }}" }}.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#lag-grows
    {{- end }}
- alert: PlayheadLagNearsRetention
  expr: >-
    max(playhead_processor_lag_seconds{job="{{ .job }}-stream-processor",{{ .of }}}) > {{ div .retentionSeconds 2 }}
  for: 1m
  labels: {severity: critical}
  annotations:
    summary: 'A batch waits for {{ "{{ $value | humanizeDuration }}" }}; at {{ div .retentionSeconds 3600 }} hours the log drops it.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#lag-grows
    {{- end }}
- alert: PlayheadRecordsExpired
  expr: >-
    sum(increase(playhead_processor_expired_records_total{job="{{ .job }}-stream-processor",{{ .of }}}[15m])) > 0
  for: 0m
  labels: {severity: critical}
  annotations:
    summary: 'Acknowledged batches left the log before they were processed and are lost.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#lag-grows
    {{- end }}
- alert: PlayheadFlushesWait
  expr: >-
    max(playhead_processor_flush_age_seconds{job="{{ .job }}-stream-processor",{{ .of }}}) > 10
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: 'What was read is not written; the store or object storage does not take writes.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#lag-grows
    {{- end }}
- alert: PlayheadFlushesFail
  expr: >-
    sum(increase(playhead_processor_lost_partitions_total{job="{{ .job }}-stream-processor",{{ .of }}}[15m])) > 5
  for: 0m
  labels: {severity: warning}
  annotations:
    summary: 'Flushes fail and are begun anew.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadFlushesAreSlow
  expr: >-
    histogram_quantile(0.99, sum by (le) (rate(playhead_processor_flush_seconds_bucket{job="{{ .job }}-stream-processor",{{ .of }}}[10m]))) > 3
  for: 15m
  labels: {severity: warning}
  annotations:
    summary: 'One flush of a hundred takes over 3 s.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadSessionsShowLate
  expr: >-
    histogram_quantile(0.95, sum by (le) (rate(playhead_processor_visible_after_seconds_bucket{job="{{ .job }}-stream-processor",{{ .of }}}[10m]))) > 5
  for: 15m
  labels: {severity: warning}
  annotations:
    summary: 'Batches are readable later than 5 s after their append.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadDeadLetters
  expr: >-
    sum by (reason) (increase(playhead_processor_dead_letters_total{job="{{ .job }}-stream-processor",{{ .of }}}[1h])) > 0
  for: 0m
  labels: {severity: warning}
  annotations:
    summary: 'Batches could not be processed, {{ "{{ $labels.reason }}" }}.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#there-are-dead-letters
    {{- end }}
- alert: PlayheadForeignRecords
  expr: >-
    sum(increase(playhead_processor_dropped_batches_total{job="{{ .job }}-stream-processor",{{ .of }},reason="no_owner"}[1h])) > 0
  for: 0m
  labels: {severity: warning}
  annotations:
    summary: 'Records in the topic of batches that no gateway wrote.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadCompactionFails
  expr: >-
    sum(increase(playhead_processor_compaction_failures_total{job="{{ .job }}-stream-processor",{{ .of }}}[30m])) > 0
  for: 1h
  labels: {severity: warning}
  annotations:
    summary: 'Sessions cannot be compacted; they play all the same, but take more space.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadNothingIsCollected
  expr: >-
    sum(increase(playhead_processor_collected_objects_total{job="{{ .job }}-stream-processor",{{ .of }}}[1d])) == 0
    and sum(increase(playhead_processor_records_total{job="{{ .job }}-stream-processor",{{ .of }}}[1d])) > 0
  for: 1h
  labels: {severity: warning}
  annotations:
    summary: 'No dead object was deleted for a day; the bucket grows.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
{{- end -}}
