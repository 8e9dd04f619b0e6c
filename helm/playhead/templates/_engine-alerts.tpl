{{/* Store, object storage, API, processes. Thresholds are those of docs/runbook.md. A dict of facts: see prometheus-rule.yaml. */}}
{{- define "playhead.engineAlerts" -}}
- alert: PlayheadStoreFails
  expr: >-
    sum by (job, operation) (rate(playhead_store_errors_total{job=~"{{ .job }}-(gateway|stream-processor|query-api)",{{ .of }}}[5m])) > 0
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: 'The store fails {{ "{{ $labels.operation }}" }} of {{ "{{ $labels.job }}" }}.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadStoreIsSlow
  expr: >-
    histogram_quantile(0.99, sum by (le) (rate(playhead_store_request_seconds_bucket{job=~"{{ .job }}-(gateway|stream-processor|query-api)",{{ .of }},operation="write"}[5m]))) > 1
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: 'One write of a hundred takes the store over 1 s; flushes get long.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadObjectStorageFails
  expr: >-
    sum by (job, operation) (rate(playhead_blob_errors_total{job=~"{{ .job }}-(gateway|stream-processor|query-api)",{{ .of }}}[5m])) > 0
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: 'Object storage fails {{ "{{ $labels.operation }}" }} of {{ "{{ $labels.job }}" }}; /readyz may say why.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#object-storage-refuses-the-key
    {{- end }}
- alert: PlayheadObjectStorageIsSlow
  expr: >-
    histogram_quantile(0.99, sum by (le) (rate(playhead_blob_request_seconds_bucket{job=~"{{ .job }}-(gateway|stream-processor|query-api)",{{ .of }},operation="put"}[5m]))) > 5
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: 'One put of a hundred takes object storage over 5 s.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadQueryApisAreGone
  expr: >-
    absent(up{job="{{ .job }}-query-api",{{ .of }}} == 1)
  for: 5m
  labels: {severity: critical}
  annotations:
    summary: 'No query-api answers; nobody can look at sessions. Recording goes on.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#is-it-well
    {{- end }}
- alert: PlayheadApiFails
  expr: >-
    sum(rate(playhead_api_requests_total{job="{{ .job }}-query-api",{{ .of }},status="5xx"}[5m]))
    > 0.01 * sum(rate(playhead_api_requests_total{job="{{ .job }}-query-api",{{ .of }}}[5m]))
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: 'Over 1 % of the API''s answers are 5xx; the log of a query-api says why.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadDescriptorsRunOut
  expr: >-
    max by (job, pod) (process_open_fds{job=~"{{ .job }}-(gateway|stream-processor|query-api)",{{ .of }}} / process_max_fds{job=~"{{ .job }}-(gateway|stream-processor|query-api)",{{ .of }}}) > 0.8
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: '{{ "{{ $labels.pod }}" }} has used over 80 % of its file descriptors.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
{{- end -}}
