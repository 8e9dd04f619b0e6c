{{/* What every pod of the chart has in common. Nothing talks to Kubernetes' API, nothing writes to its own file system. */}}
{{- define "playhead.podSecurity" -}}
automountServiceAccountToken: false
# Kubernetes would set PLAYHEAD_GATEWAY_PORT and the like for services of this name, which the binary takes for settings and refuses.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "playhead.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* A variable from a secret: a dict of variable and from. Nothing without a name. */}}
{{- define "playhead.secretVariable" -}}
{{- if .from.name }}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .from.name }}
      key: {{ .from.key }}
{{- end }}
{{- end -}}

{{/* The variables of a service: secrets, each only where it is used. A dict of root and name. */}}
{{- define "playhead.variables" -}}
{{- $secrets := .root.Values.secrets -}}
{{- if ne .name "migrate" }}
{{- include "playhead.secretVariable" (dict "variable" "PLAYHEAD_INSTALLATION_KEY" "from" $secrets.installationKey) }}
{{- include "playhead.secretVariable" (dict "variable" "PLAYHEAD_KAFKA__SASL_PASSWORD" "from" $secrets.kafkaPassword) }}
{{- include "playhead.secretVariable" (dict "variable" "PLAYHEAD_KAFKA__SSL_KEY_PASSWORD" "from" $secrets.kafkaKeyPassword) }}
{{- end }}
{{- if ne .name "gateway" }}
{{- include "playhead.secretVariable" (dict "variable" "PLAYHEAD_SCYLLA__PASSWORD" "from" $secrets.scyllaPassword) }}
{{- end }}
{{- if has .name (list "stream-processor" "query-api") }}
{{- include "playhead.secretVariable" (dict "variable" "PLAYHEAD_BLOBS__ACCESS_KEY_ID" "from" $secrets.blobsAccessKeyId) }}
{{- include "playhead.secretVariable" (dict "variable" "PLAYHEAD_BLOBS__SECRET_ACCESS_KEY" "from" $secrets.blobsSecretAccessKey) }}
{{- end }}
{{- if eq .name "query-api" }}
{{- include "playhead.secretVariable" (dict "variable" "PLAYHEAD_ADMIN_TOKEN" "from" $secrets.adminToken) }}
{{- end }}
{{- end -}}

{{/* Certificates of authorities as a volume: a dict of volume and from. */}}
{{- define "playhead.authorities" -}}
{{- if or .from.secret .from.configMap }}
- name: {{ .volume }}
  {{- if .from.secret }}
  secret:
    secretName: {{ .from.secret }}
  {{- else }}
  configMap:
    name: {{ .from.configMap }}
  {{- end }}
    items: [{key: {{ .from.key | quote }}, path: ca.crt}]
{{- end }}
{{- end -}}

{{/* The certificates of a service as volumes. A dict of root and name. */}}
{{- define "playhead.certificates" -}}
{{- $certificates := .root.Values.certificates -}}
{{- if ne .name "migrate" }}
{{- include "playhead.authorities" (dict "volume" "kafka-authorities" "from" $certificates.kafkaAuthorities) }}
{{- with $certificates.kafkaClient }}
{{- if .secret }}
- name: kafka-client
  secret:
    secretName: {{ .secret }}
    items: [{key: {{ .certificateKey | quote }}, path: tls.crt}, {key: {{ .privateKeyKey | quote }}, path: tls.key}]
{{- end }}
{{- end }}
{{- end }}
{{- if ne .name "gateway" }}
{{- include "playhead.authorities" (dict "volume" "scylla-authorities" "from" $certificates.scyllaAuthorities) }}
{{- end }}
{{- end -}}

{{/* Volumes of a service. A dict of root, name and configMap. */}}
{{- define "playhead.volumes" -}}
volumes:
  - name: config
    configMap:
      name: {{ .configMap }}
      items: [{key: {{ .name }}.toml, path: playhead.toml}]
  {{- with include "playhead.certificates" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "playhead.volumeMounts" -}}
volumeMounts:
  - {name: config, mountPath: /etc/playhead/config, readOnly: true}
  {{- range include "playhead.certificates" . | fromYamlArray }}
  - {name: {{ .name }}, mountPath: /etc/playhead/{{ .name }}, readOnly: true}
  {{- end }}
{{- end -}}

{{/* Where a pod may run. A dict of root, name and values. */}}
{{- define "playhead.placement" -}}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if kindIs "slice" .values.topologySpreadConstraints }}
{{- with .values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- else }}
topologySpreadConstraints:
  {{- $labels := include "playhead.selectorLabels" . }}
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- $labels | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}
