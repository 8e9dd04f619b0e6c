{{/* What browsers send. Thresholds are those of docs/runbook.md. A dict of facts: see prometheus-rule.yaml. */}}
{{- define "playhead.intakeAlerts" -}}
- alert: PlayheadGatewaysAreGone
  expr: >-
    absent(up{job="{{ .job }}-gateway",{{ .of }}} == 1)
  for: 2m
  labels: {severity: critical}
  annotations:
    summary: 'No gateway answers: what browsers send is not taken.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#is-it-well
    {{- end }}
- alert: PlayheadNothingIsAccepted
  expr: >-
    sum(rate(playhead_gateway_batches_accepted_total{job="{{ .job }}-gateway",{{ .of }}}[10m])) == 0
    and sum(rate(playhead_gateway_batches_accepted_total{job="{{ .job }}-gateway",{{ .of }}}[1h] offset 10m)) > 0
  for: 10m
  labels: {severity: critical}
  annotations:
    summary: 'No batch was acknowledged for ten minutes, though there were some in the hour before.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadLogIsUnavailable
  expr: >-
    sum(rate(playhead_gateway_refused_total{job="{{ .job }}-gateway",{{ .of }},code="log-unavailable"}[5m])) > 0
  for: 5m
  labels: {severity: critical}
  annotations:
    summary: 'Kafka does not make batches durable; browsers are told to come back.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#the-log-is-not-available
    {{- end }}
- alert: PlayheadRefusesLoad
  expr: >-
    sum(rate(playhead_gateway_refused_total{job="{{ .job }}-gateway",{{ .of }},code=~"too-busy|over-quota"}[5m]))
    > 0.01 * sum(rate(playhead_gateway_batches_accepted_total{job="{{ .job }}-gateway",{{ .of }}}[5m]))
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: 'More comes in than budgets and quotas allow; over 1 % of what is accepted is refused.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadClientsShareABudget
  expr: >-
    sum(rate(playhead_gateway_budget_refused_total{job="{{ .job }}-gateway",{{ .of }},limit="client"}[5m])) > 0
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: 'Single clients use up their share of the body budget. Behind a proxy without gateway.trusted_proxies all browsers count as one.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadBodyBudgetIsNearlyUsed
  expr: >-
    max(playhead_gateway_bytes_under_way{job="{{ .job }}-gateway",{{ .of }}}) > 0.8 * {{ .bodyBudgetBytes }}
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: 'A gateway holds more than 80 % of gateway.body_budget_bytes; add gateways, or see why the log is slow.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadAppendsAreSlow
  expr: >-
    histogram_quantile(0.99, sum by (le) (rate(playhead_gateway_append_seconds_bucket{job="{{ .job }}-gateway",{{ .of }}}[5m]))) > 0.5
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: 'The log takes over half a second for one batch of a hundred.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
{{- end -}}
