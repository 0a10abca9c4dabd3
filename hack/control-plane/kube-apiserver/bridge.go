package main

import (
	"context"
	"encoding/json"
	"reflect"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/kubernetes/envtestbridge"
)

// Defaulting, preparation and validation of the built-in kinds are those of the
// Kubernetes release that Debian ships whole (see envtestbridge). What that
// release does not know of an object is kept as it is.

func bridgeRequest(ctx context.Context) envtestbridge.Request {
	r := envtestbridge.Request{Namespace: genericapirequest.NamespaceValue(ctx)}
	if u, ok := genericapirequest.UserFrom(ctx); ok {
		r.User, r.Groups = u.GetName(), u.GetGroups()
	}
	if i, ok := genericapirequest.RequestInfoFrom(ctx); ok {
		r.Name, r.Verb, r.Group, r.Version, r.Resource, r.Subres = i.Name, i.Verb, i.APIGroup, i.APIVersion, i.Resource, i.Subresource
	}
	return r
}

// mergeBack makes the change from before to after in obj.
func mergeBack(obj runtime.Object, data, before, after []byte) error {
	if string(before) == string(after) {
		return nil
	}
	var a, r, s map[string]interface{}
	for _, p := range []struct {
		from []byte
		to   *map[string]interface{}
	}{{data, &a}, {before, &r}, {after, &s}} {
		if err := utiljson.Unmarshal(p.from, p.to); err != nil {
			return err
		}
	}
	merged, err := json.Marshal(applyChange(a, r, s))
	if err != nil {
		return err
	}
	v := reflect.ValueOf(obj).Elem()
	fresh := reflect.New(v.Type())
	if err := json.Unmarshal(merged, fresh.Interface()); err != nil {
		return err
	}
	m, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	managed := m.GetManagedFields() // keeps the order in its raw JSON
	v.Set(fresh.Elem())
	m.SetManagedFields(managed)
	return nil
}

func applyChange(a, r, s interface{}) interface{} {
	switch s := s.(type) {
	case map[string]interface{}:
		am, ok1 := a.(map[string]interface{})
		rm, ok2 := r.(map[string]interface{})
		if !ok1 || !ok2 {
			return s
		}
		for k, sv := range s {
			rv, inR := rm[k]
			if inR && reflect.DeepEqual(rv, sv) {
				continue
			}
			if av, inA := am[k]; inA && inR {
				am[k] = applyChange(av, rv, sv)
			} else {
				am[k] = sv
			}
		}
		for k := range rm {
			if _, ok := s[k]; !ok {
				delete(am, k)
			}
		}
		return am
	case []interface{}:
		al, ok1 := a.([]interface{})
		rl, ok2 := r.([]interface{})
		if !ok1 || !ok2 || len(al) != len(s) || len(rl) != len(s) {
			return s
		}
		for i := range s {
			if !reflect.DeepEqual(rl[i], s[i]) {
				al[i] = applyChange(al[i], rl[i], s[i])
			}
		}
		return al
	}
	return s
}

func bridgeErrors(list []envtestbridge.FieldError, err error) field.ErrorList {
	if err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	var out field.ErrorList
	for _, e := range list {
		out = append(out, &field.Error{Type: field.ErrorType(e.Type), Field: e.Field, BadValue: e.Value, Detail: e.Detail})
	}
	return out
}

func bridgeDefault(resource string, obj runtime.Object) error {
	data, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	before, after, err := envtestbridge.Default(resource, data)
	if err != nil {
		return err
	}
	return mergeBack(obj, data, before, after)
}
