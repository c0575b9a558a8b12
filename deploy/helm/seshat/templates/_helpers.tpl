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

{{- /* A word of a setting: YAML has made numbers and booleans of what the program wants as words. */ -}}
{{- define "seshat.word" -}}
{{- if kindIs "bool" . }}{{ ternary "yes" "no" . | quote }}
{{- else if kindIs "float64" . }}{{ printf "%.0f" . | quote }}
{{- else }}{{ toString . | quote }}
{{- end -}}
{{- end -}}
