{{/* Names, labels, and what several templates must agree on. */}}

{{- define "sluicegate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* At most 40 characters: the longest suffix still fits into the 63 of a label. */}}
{{- define "sluicegate.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "sluicegate.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "sluicegate.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "sluicegate.selector" -}}
app.kubernetes.io/name: {{ include "sluicegate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sluicegate.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "sluicegate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: sluicegate
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
The sets of pods. Whether anything is denied is a matter of the process (`--mode`), so a trial needs two: the gate, and
observers for the namespaces that do not take part yet. What comes through a proxy belongs to no namespace: it is
observed until all is enforced.
*/}}
{{- define "sluicegate.workloads" -}}
- name: {{ include "sluicegate.fullname" . }}
  component: gate
  mode: {{ eq .Values.rollout "observe" | ternary "warn" "enforce" }}
  proxies: {{ ne .Values.rollout "trial" }}
{{- if eq .Values.rollout "trial" }}
- name: {{ include "sluicegate.fullname" . }}-observer
  component: observer
  mode: warn
  proxies: true
{{- end }}
{{- end }}

{{- define "sluicegate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "sluicegate.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "sluicegate.priorityClassName" -}}
{{- if .Values.priorityClass.create }}
{{- default (include "sluicegate.fullname" .) .Values.priorityClass.name }}
{{- else }}
{{- .Values.priorityClass.name }}
{{- end }}
{{- end }}

{{- define "sluicegate.tlsSecret" -}}
{{- if .Values.tls.existingSecret }}
{{- if .Values.tls.certManager.enabled }}
{{- fail "tls.existingSecret and tls.certManager.enabled exclude each other: set one of them" }}
{{- end }}
{{- .Values.tls.existingSecret }}
{{- else if .Values.tls.certManager.enabled }}
{{- include "sluicegate.fullname" . }}-tls
{{- else }}
{{- fail "no certificate: set tls.certManager.enabled=true, or tls.existingSecret with tls.caBundle" }}
{{- end }}
{{- end }}

{{- define "sluicegate.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "sluicegate.hasConfig" -}}
{{- if or .Values.settings .Values.facts .Values.shadowSettings }}true{{ end }}
{{- end }}

{{/* CIDRs as peers of a network policy; none: nothing, which is everybody. */}}
{{- define "sluicegate.peers" -}}
{{- range . }}
- ipBlock:
    cidr: {{ . }}
{{- end }}
{{- end }}
