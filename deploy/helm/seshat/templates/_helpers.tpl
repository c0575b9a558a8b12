{{- define "seshat.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "seshat.members" -}}
{{ include "seshat.fullname" . }}-members
{{- end -}}

{{- define "seshat.secret" -}}
{{ default (include "seshat.fullname" .) .Values.auth.existingSecret }}
{{- end -}}

{{- define "seshat.selector" -}}
app.kubernetes.io/name: seshat
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "seshat.labels" -}}
{{ include "seshat.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* Bytes of a size of redis.conf, where 1k is 1000 and 1kb is 1024. 0 has no limit. */ -}}
{{- define "seshat.bytes" -}}
{{- $word := include "seshat.word" . | trimAll "\"" | lower -}}
{{- if not (regexMatch "^[0-9]{1,15}(b|kb?|mb?|gb?)?$" $word) }}
{{- fail (printf "settings.maxmemory: %s is no size: write 512mb or 2gb" $word) }}
{{- end -}}
{{- $units := dict "" 1 "b" 1 "k" 1000 "kb" 1024 "m" 1000000 "mb" 1048576 "g" 1000000000 "gb" 1073741824 -}}
{{- mul (regexFind "^[0-9]+" $word | int64) (get $units (regexFind "[a-z]*$" $word)) -}}
{{- end -}}

{{- /* The values' resources, with memory from maxmemory where they name none. A list holds one word. */ -}}
{{- define "seshat.resources" -}}
{{- $resources := deepCopy .Values.resources -}}
{{- $limit := .Values.settings.maxmemory | default 0 -}}
{{- if kindIs "slice" $limit }}{{ $limit = first $limit }}{{ end -}}
{{- $bytes := include "seshat.bytes" $limit | int64 -}}
{{- if gt $bytes 0 }}
{{- $mebibytes := div (add $bytes 1048575) 1048576 -}}
{{- $requests := dict "memory" (printf "%dMi" (add $mebibytes 512)) -}}
{{- $limits := dict "memory" (printf "%dMi" (add (mul 2 $mebibytes) 512)) -}}
{{- $resources = merge $resources (dict "requests" $requests "limits" $limits) -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{- /* A word of a setting: YAML has made numbers and booleans of what the program wants as words. */ -}}
{{- define "seshat.word" -}}
{{- if kindIs "bool" . }}{{ ternary "yes" "no" . | quote }}
{{- else if kindIs "float64" . }}{{ printf "%.0f" . | quote }}
{{- else }}{{ toString . | quote }}
{{- end -}}
{{- end -}}
