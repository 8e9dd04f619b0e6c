{{/*
Everything of one service. A dict of root; name, which is the command; values; and replicas, empty where an autoscaler sets them.
*/}}
{{- define "playhead.service" -}}
{{- include "playhead.deployment" . }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ include "playhead.serviceName" . }}
  labels:
    {{- include "playhead.labels" . | nindent 4 }}
  {{- with .values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .values.service.type }}
  selector:
    {{- include "playhead.selectorLabels" . | nindent 4 }}
  ports:
    - {name: http, port: {{ .values.service.port }}, targetPort: http, protocol: TCP}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "playhead.serviceName" . }}
  labels:
    {{- include "playhead.labels" . | nindent 4 }}
  {{- with .values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- if .values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "playhead.serviceName" . }}
  labels:
    {{- include "playhead.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .values.podDisruptionBudget.maxUnavailable }}
  # A pod that never gets ready does not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "playhead.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "playhead.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "playhead.serviceName" . }}
  labels:
    {{- include "playhead.labels" . | nindent 4 }}
spec:
  {{- with .replicas }}
  replicas: {{ . }}
  {{- end }}
  # A pod that comes takes partitions over, or traffic, before the next one goes.
  minReadySeconds: 5
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "playhead.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "playhead.labels" . | nindent 8 }}
        {{- with .values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        # Settings are read at the start only.
        checksum/config: {{ include "playhead.file" . | sha256sum }}
        {{- with .values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "playhead.serviceName" . }}
      {{- include "playhead.podSecurity" .root | nindent 6 }}
      terminationGracePeriodSeconds: {{ include "playhead.gracePeriodSeconds" . }}
      {{- include "playhead.placement" . | trim | nindent 6 }}
      containers:
        - name: {{ .name }}
          {{- include "playhead.container" . | nindent 10 }}
      {{- $configMap := printf "%s-config" (include "playhead.fullname" .root) }}
      {{- include "playhead.volumes" (merge (dict "configMap" $configMap) .) | nindent 6 }}
{{- end -}}

{{- define "playhead.container" -}}
image: {{ include "playhead.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: [{{ .name }}, --config, /etc/playhead/config/playhead.toml]
env:
  {{- include "playhead.variables" . | trim | nindent 2 }}
  {{- with .values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - {name: http, containerPort: {{ include "playhead.listenPort" . }}, protocol: TCP}
# Answers from the first moment on, also while it waits for Kafka or the store: to restart it then would help nobody.
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
# It asks the engines for up to a second.
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
resources:
  {{- toYaml .values.resources | nindent 2 }}
{{ include "playhead.containerSecurity" .root }}
{{ include "playhead.volumeMounts" . }}
{{- end -}}
