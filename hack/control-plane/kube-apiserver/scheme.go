package main

import (
	"fmt"
	"reflect"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

// Every API type is its own internal type: the types of k8s.io/api are
// registered both under their version and under the internal version.
var (
	Scheme        = newScheme(true)
	Codecs        = serializer.NewCodecFactory(Scheme)
	storageScheme = newScheme(false) // stored objects were defaulted when they were written
	storageCodecs = serializer.NewCodecFactory(storageScheme)

	groupVersions = []schema.GroupVersion{
		corev1.SchemeGroupVersion, appsv1.SchemeGroupVersion, batchv1.SchemeGroupVersion,
		autoscalingv2.SchemeGroupVersion, autoscalingv1.SchemeGroupVersion, policyv1.SchemeGroupVersion,
		networkingv1.SchemeGroupVersion, rbacv1.SchemeGroupVersion, coordinationv1.SchemeGroupVersion,
		discoveryv1.SchemeGroupVersion, eventsv1.SchemeGroupVersion, schedulingv1.SchemeGroupVersion,
		storagev1.SchemeGroupVersion, nodev1.SchemeGroupVersion, certificatesv1.SchemeGroupVersion,
		admissionregistrationv1.SchemeGroupVersion, flowcontrolv1.SchemeGroupVersion,
		authenticationv1.SchemeGroupVersion, authorizationv1.SchemeGroupVersion,
	}
)

func newScheme(defaulting bool) *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, autoscalingv2.AddToScheme,
		policyv1.AddToScheme, networkingv1.AddToScheme, rbacv1.AddToScheme, coordinationv1.AddToScheme,
		discoveryv1.AddToScheme, eventsv1.AddToScheme, schedulingv1.AddToScheme, storagev1.AddToScheme,
		nodev1.AddToScheme, certificatesv1.AddToScheme, admissionregistrationv1.AddToScheme,
		flowcontrolv1.AddToScheme, authenticationv1.AddToScheme, authorizationv1.AddToScheme,
	} {
		utilruntime.Must(add(s))
	}
	s.AddKnownTypes(autoscalingv1.SchemeGroupVersion, &autoscalingv1.Scale{})
	metav1.AddToGroupVersion(s, autoscalingv1.SchemeGroupVersion)

	for _, gv := range s.PreferredVersionAllGroups() {
		for _, gv := range s.PrioritizedVersionsForGroup(gv.Group) {
			for kind, t := range s.KnownTypes(gv) {
				if gv == eventsv1.SchemeGroupVersion || !strings.HasPrefix(t.PkgPath(), "k8s.io/api/") {
					continue
				}
				s.AddKnownTypeWithName(schema.GroupVersionKind{Group: gv.Group, Version: runtime.APIVersionInternal, Kind: kind},
					reflect.New(t).Interface().(runtime.Object))
			}
		}
	}
	utilruntime.Must(s.SetVersionPriority(autoscalingv2.SchemeGroupVersion, autoscalingv1.SchemeGroupVersion))
	metav1.AddToGroupVersion(s, schema.GroupVersion{Version: "v1"})

	registerEvents(s)
	registerFieldLabels(s)
	if defaulting {
		registerDefaults(s)
	}
	return s
}

// registerEvents makes core/v1 Event the stored form of events.k8s.io/v1 Event.
func registerEvents(s *runtime.Scheme) {
	hub := schema.GroupVersion{Group: eventsv1.GroupName, Version: runtime.APIVersionInternal}
	s.AddKnownTypes(hub, &corev1.Event{}, &corev1.EventList{})
	toCore := func(a, b interface{}, _ conversion.Scope) error {
		in, out := a.(*eventsv1.Event), b.(*corev1.Event)
		*out = corev1.Event{
			ObjectMeta: in.ObjectMeta, EventTime: in.EventTime, ReportingController: in.ReportingController,
			ReportingInstance: in.ReportingInstance, Action: in.Action, Reason: in.Reason, InvolvedObject: in.Regarding,
			Related: in.Related, Message: in.Note, Type: in.Type, Source: in.DeprecatedSource,
			FirstTimestamp: in.DeprecatedFirstTimestamp, LastTimestamp: in.DeprecatedLastTimestamp, Count: in.DeprecatedCount,
		}
		if in.Series != nil {
			out.Series = &corev1.EventSeries{Count: in.Series.Count, LastObservedTime: in.Series.LastObservedTime}
		}
		return nil
	}
	toEvents := func(a, b interface{}, _ conversion.Scope) error {
		in, out := a.(*corev1.Event), b.(*eventsv1.Event)
		*out = eventsv1.Event{
			ObjectMeta: in.ObjectMeta, EventTime: in.EventTime, ReportingController: in.ReportingController,
			ReportingInstance: in.ReportingInstance, Action: in.Action, Reason: in.Reason, Regarding: in.InvolvedObject,
			Related: in.Related, Note: in.Message, Type: in.Type, DeprecatedSource: in.Source,
			DeprecatedFirstTimestamp: in.FirstTimestamp, DeprecatedLastTimestamp: in.LastTimestamp, DeprecatedCount: in.Count,
		}
		if in.Series != nil {
			out.Series = &eventsv1.EventSeries{Count: in.Series.Count, LastObservedTime: in.Series.LastObservedTime}
		}
		return nil
	}
	utilruntime.Must(s.AddConversionFunc((*eventsv1.Event)(nil), (*corev1.Event)(nil), toCore))
	utilruntime.Must(s.AddConversionFunc((*corev1.Event)(nil), (*eventsv1.Event)(nil), toEvents))
	utilruntime.Must(s.AddConversionFunc((*corev1.EventList)(nil), (*eventsv1.EventList)(nil), func(a, b interface{}, c conversion.Scope) error {
		in, out := a.(*corev1.EventList), b.(*eventsv1.EventList)
		out.ListMeta, out.Items = in.ListMeta, make([]eventsv1.Event, len(in.Items))
		for i := range in.Items {
			if err := toEvents(&in.Items[i], &out.Items[i], c); err != nil {
				return err
			}
		}
		return nil
	}))
	utilruntime.Must(s.AddConversionFunc((*eventsv1.EventList)(nil), (*corev1.EventList)(nil), func(a, b interface{}, c conversion.Scope) error {
		in, out := a.(*eventsv1.EventList), b.(*corev1.EventList)
		out.ListMeta, out.Items = in.ListMeta, make([]corev1.Event, len(in.Items))
		for i := range in.Items {
			if err := toCore(&in.Items[i], &out.Items[i], c); err != nil {
				return err
			}
		}
		return nil
	}))
}

// fieldLabels are the field selectors a kind supports besides metadata.name and metadata.namespace.
var fieldLabels = map[schema.GroupVersionKind][]string{
	corev1.SchemeGroupVersion.WithKind("Pod"): {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
		"status.phase", "status.podIP", "status.nominatedNodeName"},
	corev1.SchemeGroupVersion.WithKind("Event"): {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
		"involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"},
	eventsv1.SchemeGroupVersion.WithKind("Event"): {"regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid",
		"regarding.apiVersion", "regarding.resourceVersion", "regarding.fieldPath", "reason", "reportingController", "type"},
	corev1.SchemeGroupVersion.WithKind("Secret"):                            {"type"},
	corev1.SchemeGroupVersion.WithKind("Namespace"):                         {"status.phase"},
	corev1.SchemeGroupVersion.WithKind("Node"):                              {"spec.unschedulable"},
	corev1.SchemeGroupVersion.WithKind("Service"):                           {"spec.clusterIP", "spec.type"},
	batchv1.SchemeGroupVersion.WithKind("Job"):                              {"status.successful"},
	appsv1.SchemeGroupVersion.WithKind("ReplicaSet"):                        {"status.replicas"},
	certificatesv1.SchemeGroupVersion.WithKind("CertificateSigningRequest"): {"spec.signerName"},
}

func registerFieldLabels(s *runtime.Scheme) {
	for gvk, labels := range fieldLabels {
		known := map[string]string{"metadata.name": "metadata.name", "metadata.namespace": "metadata.namespace"}
		for _, l := range labels {
			known[l] = l
			if gvk.Group == eventsv1.GroupName { // the stored form is the core one
				known[l] = strings.Replace(strings.Replace(l, "regarding.", "involvedObject.", 1), "reportingController", "reportingComponent", 1)
			}
		}
		utilruntime.Must(s.AddFieldLabelConversionFunc(gvk, func(label, value string) (string, string, error) {
			if to, ok := known[label]; ok {
				return to, value, nil
			}
			return "", "", fmt.Errorf("field label not supported: %s", label)
		}))
	}
}

// internalCodec decodes to objects without kind and version, which is how internal objects are told apart.
type internalCodec struct{ runtime.Codec }

func (c internalCodec) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	obj, gvk, err := c.Codec.Decode(data, defaults, into)
	if err == nil {
		obj.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
	return obj, gvk, err
}
