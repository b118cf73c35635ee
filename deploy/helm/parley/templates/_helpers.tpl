{{- define "parley.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "parley.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "parley.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "parley.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* dict "root" $ "component" "api" */}}
{{- define "parley.selector" -}}
app.kubernetes.io/name: {{ include "parley.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "parley.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{ include "parley.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: parley
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "parley.image" -}}
{{ printf "%s/%s:%s" .root.Values.image.repository .image (.root.Values.image.tag | default .root.Chart.AppVersion) }}
{{- end }}

{{/* What an api needs from the first word of its end to the last: the two waits, 20 s in which its threads must have closed, 10 s for its stores. */}}
{{- define "parley.apiGraceSeconds" -}}
{{- add .Values.api.drain.delaySeconds .Values.api.drain.windowSeconds 20 10 }}
{{- end }}

{{/* A pod is taken away only once the one before has gone: its users must have found a place. */}}
{{- define "parley.apiScaleDownPeriod" -}}
{{- max 60 (include "parley.apiGraceSeconds" . | int) }}
{{- end }}

{{- define "parley.workerScaleDownPeriod" -}}
{{- max 60 (.Values.worker.terminationGracePeriodSeconds | int) }}
{{- end }}

{{/* MiB of a quantity such as 512Mi or 2Gi. */}}
{{- define "parley.mebibytes" -}}
{{- if hasSuffix "Gi" . }}{{ mul (trimSuffix "Gi" . | int) 1024 }}{{ else }}{{ trimSuffix "Mi" . | int }}{{ end }}
{{- end }}

{{/* Half of the limit, shared by the isolates of the process; each has up to 200 MiB for what is young beside it, and buffers lie outside: dict "memory" "2Gi" "isolates" 3 */}}
{{- define "parley.heapOption" -}}
{{- printf "--max-old-space-size=%d" (div (div (include "parley.mebibytes" .memory | int) 2) .isolates) }}
{{- end }}

{{/* A number of a values file is a float here, and 10000000 would be written as 1e+07. */}}
{{- define "parley.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else if kindIs "slice" . }}{{ join "," . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{/* Which settings come from Secrets. */}}
{{- define "parley.secretNames" -}}
{{- concat .Values.existingSecret.keys (keys .Values.secretRefs) | uniq | sortAlpha | toJson }}
{{- end }}

{{/* The settings that an app knows, as YAML: dict "root" $ "component" "api" */}}
{{- define "parley.settings" -}}
{{- $known := .root.Files.Get "files/settings.json" | fromJson }}
{{- /* Not `merge`: to it, false is nothing. */}}
{{- $own := dict }}
{{- range $given := list .root.Values.settings (get .root.Values .component).settings }}
{{- range $name, $value := $given }}{{ $_ := set $own $name $value }}{{ end }}
{{- end }}
{{- range $name := keys $own | sortAlpha }}
{{- if has $.component (get $known $name).of }}
{{ $name }}: {{ include "parley.text" (get $own $name) | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a ConfigMap of the environment holds: dict "root" $ "component" "api" */}}
{{- define "parley.environment" -}}
{{- $v := .root.Values -}}
NODE_ENV: production
LANES: {{ $v.lanes | quote }}
OPS_PORT: "3001"
{{- if $v.attachments.existingClaim }}
ATTACHMENTS_DIR: /attachments
{{- end }}
{{- if eq .component "api" }}
HOST: 0.0.0.0
PORT: "3000"
THREADS: {{ $v.api.threads | quote }}
MAX_CONNECTIONS: {{ int64 $v.api.maxConnections | quote }}
DRAIN_DELAY_MS: {{ mul $v.api.drain.delaySeconds 1000 | quote }}
DRAIN_WINDOW_MS: {{ mul $v.api.drain.windowSeconds 1000 | quote }}
{{- if $v.api.admin.enabled }}
ADMIN_HOST: 0.0.0.0
ADMIN_PORT: "3002"
{{- end }}
NODE_OPTIONS: {{ include "parley.heapOption" (dict "memory" $v.api.resources.limits.memory "isolates" (add $v.api.threads 1)) }}
{{- else }}
OPS_HOST: 0.0.0.0
NODE_OPTIONS: {{ include "parley.heapOption" (dict "memory" $v.worker.resources.limits.memory "isolates" 1) }}
{{- end }}
{{- include "parley.settings" . }}
{{- end }}

{{- define "parley.secretEnv" -}}
{{- $root := .root -}}
{{- $known := $root.Files.Get "files/settings.json" | fromJson -}}
{{- range $name := include "parley.secretNames" $root | fromJsonArray }}
{{- if has $.component (get $known $name).of }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      {{- $ref := get $root.Values.secretRefs $name | default dict }}
      name: {{ $ref.name | default $root.Values.existingSecret.name }}
      key: {{ $ref.key | default $name }}
{{- end }}
{{- end }}
{{- end }}

{{- define "parley.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "parley.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What both kinds of pods have in common below `spec`: dict "root" $ "component" "api" */}}
{{- define "parley.scheduling" -}}
{{- $own := get .root.Values .component -}}
serviceAccountName: {{ include "parley.fullname" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "parley.podSecurity" . | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- if $own.topologySpreadConstraints }}
  {{- toYaml $own.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "parley.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "parley.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 256Mi
{{- with .root.Values.attachments.existingClaim }}
- name: attachments
  persistentVolumeClaim:
    claimName: {{ . }}
{{- end }}
{{- with (get .root.Values .component).extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "parley.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .root.Values.attachments.existingClaim }}
- name: attachments
  mountPath: /attachments
{{- end }}
{{- with (get .root.Values .component).extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "parley.resourceMetric" -}}
- type: Resource
  resource:
    name: cpu
    target:
      type: Utilization
      averageUtilization: {{ . }}
{{- end }}
