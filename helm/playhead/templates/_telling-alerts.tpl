{{/* Alerts that tenants get, and Jira. Thresholds are those of docs/runbook.md. A dict of facts: see prometheus-rule.yaml. */}}
{{- define "playhead.tellingAlerts" -}}
- alert: PlayheadAlertsAreNotJudged
  expr: >-
    sum by (part) (rate(playhead_alert_failures_total{job="{{ .job }}-query-api",{{ .of }},part!="statistics"}[5m])) > 0.05
  for: 10m
  labels: {severity: critical}
  annotations:
    summary: 'Rounds of alerts fail ({{ "{{ $labels.part }}" }}); who waits for one may hear nothing. The log of a query-api says why.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadRulesAreNotMeasured
  expr: >-
    sum(rate(playhead_alert_failures_total{job="{{ .job }}-query-api",{{ .of }},part="statistics"}[15m])) > 0
  for: 30m
  labels: {severity: warning}
  annotations:
    summary: 'Rules about endpoints or pages are not decided, as not all statistics of their projects could be read. The log of a query-api names them.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadAlertsAreLate
  expr: >-
    histogram_quantile(0.95, sum by (le) (rate(playhead_alert_lag_seconds_bucket{job="{{ .job }}-query-api",{{ .of }}}[15m]))) > 10
  for: 15m
  labels: {severity: warning}
  annotations:
    summary: 'One alert of twenty is decided over 10 s after what it tells: processors are behind, or a query-api has too many projects.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadAlertsAreGivenUp
  expr: >-
    sum(increase(playhead_alert_deliveries_total{job="{{ .job }}-query-api",{{ .of }},outcome="gave_up"}[1h])) > 0
  labels: {severity: warning}
  annotations:
    summary: 'Messages of alerts were given up within the last hour; the project''s log of deliveries says to which channel, and why.'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
- alert: PlayheadJiraIsNotReached
  expr: >-
    sum(increase(playhead_jira_tasks_total{job="{{ .job }}-query-api",{{ .of }},outcome="unreachable"}[1h])) > 1
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: 'Jira is not reached: its site is away, or the way out is closed (networkPolicy.egress.alerts).'
    {{- with .runbookUrl }}
    runbook_url: {{ . }}#metrics-and-when-to-worry
    {{- end }}
{{- end -}}
