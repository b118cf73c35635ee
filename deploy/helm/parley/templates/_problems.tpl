{{/* What single values cannot say of themselves; every problem is named at once. */}}
{{- define "parley.check" -}}
{{- $v := .Values }}
{{- $known := .Files.Get "files/settings.json" | fromJson }}
{{- $problems := list }}
{{- $secrets := include "parley.secretNames" . | fromJsonArray }}
{{- range $name := list "DATABASE_URL" "REDIS_LOG_URL" "REDIS_CACHE_URL" }}
{{- if not (has $name $secrets) }}
{{- $problems = append $problems (printf "existingSecret.keys: %s is missing; nothing runs without it" $name) }}
{{- end }}
{{- end }}
{{- range $where := list "settings" "api.settings" "worker.settings" }}
{{- $given := dict }}
{{- if eq $where "settings" }}{{ $given = $v.settings }}{{ else if eq $where "api.settings" }}{{ $given = $v.api.settings }}{{ else }}{{ $given = $v.worker.settings }}{{ end }}
{{- range $name := keys $given | sortAlpha }}
{{- if (get $known $name).secret }}
{{- $problems = append $problems (printf "%s.%s: a secret; name it in existingSecret.keys or secretRefs" $where $name) }}
{{- else if has $name $secrets }}
{{- $problems = append $problems (printf "%s.%s: comes from a Secret already" $where $name) }}
{{- else if and (ne $where "settings") (not (has (trimSuffix ".settings" $where) (get $known $name).of)) }}
{{- $problems = append $problems (printf "%s.%s: no setting of the %s" $where $name (trimSuffix ".settings" $where)) }}
{{- end }}
{{- end }}
{{- end }}
{{- $jwks := or $v.settings.AUTH_JWKS_URL $v.api.settings.AUTH_JWKS_URL }}
{{- if and (not $jwks) (not (has "AUTH_SECRET" $secrets)) }}
{{- $problems = append $problems "settings.AUTH_JWKS_URL: set it, or AUTH_SECRET among the secrets: tokens must be verified" }}
{{- end }}
{{- if and $jwks (has "AUTH_SECRET" $secrets) }}
{{- $problems = append $problems "settings.AUTH_JWKS_URL: not together with AUTH_SECRET; leave that out of existingSecret.keys" }}
{{- end }}
{{- if and $jwks (not (has "FILES_SECRET" $secrets)) }}
{{- $problems = append $problems "existingSecret.keys: FILES_SECRET is missing, which signs links to attachments where AUTH_JWKS_URL is used" }}
{{- end }}
{{- if and (not $v.settings.S3_BUCKET) (not $v.attachments.existingClaim) }}
{{- $problems = append $problems "attachments.existingClaim: set it, or settings.S3_BUCKET: every pod must see the same attachments" }}
{{- end }}
{{- if and $v.settings.S3_BUCKET (not (has "S3_SECRET_ACCESS_KEY" $secrets)) }}
{{- $problems = append $problems "existingSecret.keys: S3_SECRET_ACCESS_KEY is missing, because settings.S3_BUCKET is set" }}
{{- end }}
{{- if and $v.settings.S3_BUCKET (not $v.settings.S3_ACCESS_KEY_ID) (not (has "S3_ACCESS_KEY_ID" $secrets)) }}
{{- $problems = append $problems "settings.S3_ACCESS_KEY_ID: needed, because settings.S3_BUCKET is set" }}
{{- end }}
{{- if and $v.api.admin.enabled (not (has "ADMIN_TOKEN" $secrets)) }}
{{- $problems = append $problems "api.admin.enabled: needs ADMIN_TOKEN among the secrets" }}
{{- end }}
{{- with $v.api.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- $problems = append $problems "api.autoscaling.minReplicas: more than maxReplicas" }}
{{- end }}
{{- if and .enabled (ge (int .connectionsPerPod) (int $v.api.maxConnections)) }}
{{- $problems = append $problems (printf "api.autoscaling.connectionsPerPod: must be below api.maxConnections (%d), or a pod is full before there is another" (int $v.api.maxConnections)) }}
{{- end }}
{{- end }}
{{- with $v.worker.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- $problems = append $problems "worker.autoscaling.minReplicas: more than maxReplicas" }}
{{- end }}
{{- if and .enabled (gt (int .maxReplicas) (int $v.lanes)) }}
{{- $problems = append $problems (printf "worker.autoscaling.maxReplicas: %d workers for %d lanes; the rest would have nothing to do" (int .maxReplicas) (int $v.lanes)) }}
{{- end }}
{{- end }}
{{- if and (not $v.worker.autoscaling.enabled) (gt (int $v.worker.replicas) (int $v.lanes)) }}
{{- $problems = append $problems (printf "worker.replicas: %d workers for %d lanes; the rest would have nothing to do" (int $v.worker.replicas) (int $v.lanes)) }}
{{- end }}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) }}
{{- $problems = append $problems "ingress.hosts: name at least one" }}
{{- end }}
{{- if and $v.gateway.enabled (not $v.gateway.parentRefs) }}
{{- $problems = append $problems "gateway.parentRefs: name at least one" }}
{{- end }}
{{- if $problems }}
{{- fail (printf "%d bad value%s:\n  %s" (len $problems) (ternary "" "s" (eq (len $problems) 1)) (join "\n  " $problems)) }}
{{- end }}
{{- end }}
