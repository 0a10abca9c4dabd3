// Command kube-apiserver is an API server for end-to-end tests. It is put
// together from the API server libraries that Debian packages: the machinery
// (storage, watch, server-side apply, admission webhooks and policies, custom
// resources) is that of the current Kubernetes release; the built-in kinds have
// the current API types, with the defaulting, the strategies, the validation
// and the RBAC authorizer of the last release whose whole tree is in Debian.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	noopoteltrace "go.opentelemetry.io/otel/trace/noop"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsapiserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	apiextensionsoptions "k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	crdopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/group"
	"k8s.io/apiserver/pkg/authentication/request/anonymous"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	"k8s.io/apiserver/pkg/authentication/request/headerrequest"
	"k8s.io/apiserver/pkg/authentication/request/union"
	"k8s.io/apiserver/pkg/authentication/request/websocket"
	"k8s.io/apiserver/pkg/authentication/request/x509"
	"k8s.io/apiserver/pkg/authentication/token/tokenfile"
	tokenunion "k8s.io/apiserver/pkg/authentication/token/union"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/discovery/aggregated"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/apiserver/pkg/server/healthz"
	"k8s.io/apiserver/pkg/server/mux"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/server/routes"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/apiserver/pkg/util/openapi"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	"k8s.io/klog/v2"
	"k8s.io/kube-openapi/pkg/common"
	netutils "k8s.io/utils/net"
	"sigs.k8s.io/yaml"

	generatedopenapi "envtest.local/kube-apiserver/openapi"
	rbacauthorizer "envtest.local/kube-apiserver/rbacauthorizer"
	"envtest.local/kube-apiserver/rbacvalidation"
)

//go:embed bootstrap/*.yaml
var bootstrapFiles embed.FS

var serviceCIDR = &net.IPNet{IP: net.IPv4(10, 96, 0, 0), Mask: net.CIDRMask(12, 32)}

type options struct {
	run        *genericoptions.ServerRunOptions
	etcd       *genericoptions.EtcdOptions
	serving    *genericoptions.SecureServingOptionsWithLoopback
	audit      *genericoptions.AuditOptions
	features   *genericoptions.FeatureOptions
	admission  *genericoptions.AdmissionOptions
	enablement *genericoptions.APIEnablementOptions

	clientCA, tokenFile, serviceCIDR                        string
	proxyCA                                                 string
	proxyNames, proxyUser, proxyUID, proxyGroup, proxyExtra []string
	anonymous                                               bool
	issuers, audiences, keys                                []string
	signingKey                                              string
	authorization                                           authorizationOptions
}

func main() { os.Exit(cli.Run(command())) }

func command() *cobra.Command {
	o := &options{
		run:        genericoptions.NewServerRunOptions(),
		etcd:       genericoptions.NewEtcdOptions(storagebackend.NewDefaultConfig("/registry", nil)),
		serving:    genericoptions.NewSecureServingOptions().WithLoopback(),
		audit:      genericoptions.NewAuditOptions(),
		features:   genericoptions.NewFeatureOptions(),
		admission:  genericoptions.NewAdmissionOptions(),
		enablement: genericoptions.NewAPIEnablementOptions(),
	}
	o.serving.BindPort = 6443
	o.serving.ServerCert.PairName = "apiserver"
	o.serving.ServerCert.CertDirectory = "/var/run/kubernetes"
	o.features.EnablePriorityAndFairness = false
	c := &cobra.Command{
		Use: "kube-apiserver", SilenceUsage: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return o.run.ComponentGlobalsRegistry.Set() },
		RunE:              func(*cobra.Command, []string) error { return o.serve(genericapiserver.SetupSignalContext()) },
	}
	fs := c.Flags()
	o.run.AddUniversalFlags(fs)
	o.etcd.AddFlags(fs)
	o.serving.AddFlags(fs)
	o.audit.AddFlags(fs)
	o.features.AddFlags(fs)
	o.admission.AddFlags(fs)
	o.enablement.AddFlags(fs)
	o.authorization.addFlags(fs)
	logs.AddFlags(fs)
	fs.StringVar(&o.clientCA, "client-ca-file", "", "certificates that sign client certificates")
	fs.StringVar(&o.tokenFile, "token-auth-file", "", "CSV file of bearer tokens: token,user,uid,\"group1,group2\"")
	fs.BoolVar(&o.anonymous, "anonymous-auth", true, "accept requests without credentials as system:anonymous")
	fs.StringArrayVar(&o.issuers, "service-account-issuer", nil, "issuer of service account tokens; the first one issues, all are accepted")
	fs.StringSliceVar(&o.audiences, "api-audiences", nil, "audiences of the API (default: the issuers)")
	fs.StringArrayVar(&o.keys, "service-account-key-file", nil, "PEM keys that verify service account tokens")
	fs.StringVar(&o.signingKey, "service-account-signing-key-file", "", "PEM private key that signs service account tokens (without any key, one is made for the run)")
	fs.StringVar(&o.serviceCIDR, "service-cluster-ip-range", "10.96.0.0/12", "IPv4 range of cluster IPs")
	fs.StringVar(&o.proxyCA, "requestheader-client-ca-file", "", "certificates that sign the client certificates of front proxies")
	fs.StringSliceVar(&o.proxyNames, "requestheader-allowed-names", nil, "common names of front proxies")
	fs.StringSliceVar(&o.proxyUser, "requestheader-username-headers", nil, "headers with the user")
	fs.StringSliceVar(&o.proxyUID, "requestheader-uid-headers", nil, "headers with the UID")
	fs.StringSliceVar(&o.proxyGroup, "requestheader-group-headers", nil, "headers with the groups")
	fs.StringSliceVar(&o.proxyExtra, "requestheader-extra-headers-prefix", nil, "prefixes of headers with extra information")
	var ignored string
	for _, name := range []string{"allow-privileged", "insecure-port", "endpoint-reconciler-type", "service-account-lookup", "kubelet-certificate-authority", "runtime-cgroups"} {
		fs.StringVar(&ignored, name, "", "accepted and ignored")
		fs.Lookup(name).NoOptDefVal = "true"
	}
	return c
}

func definitions(ref common.ReferenceCallback) map[string]common.OpenAPIDefinition {
	defs := crdopenapi.GetOpenAPIDefinitions(ref)
	for k, v := range generatedopenapi.GetOpenAPIDefinitions(ref) {
		defs[k] = v
	}
	return defs
}

func (o *options) serve(ctx context.Context) error {
	// ---- configuration that all parts share
	if _, cidr, err := net.ParseCIDR(o.serviceCIDR); err != nil || cidr.IP.To4() == nil {
		return fmt.Errorf("--service-cluster-ip-range %q is not an IPv4 range", o.serviceCIDR)
	} else {
		serviceCIDR = cidr
	}
	registered := o.admission.Plugins.Registered()
	known := func(list []string) (out []string) {
		for _, p := range list {
			if slices.Contains(registered, p) {
				out = append(out, p)
			} else {
				klog.Warningf("admission plugin %s does not exist here", p)
			}
		}
		return out
	}
	o.admission.EnablePlugins, o.admission.DisablePlugins = known(o.admission.EnablePlugins), known(o.admission.DisablePlugins)
	if err := o.run.Complete(); err != nil {
		return err
	}
	if err := o.serving.MaybeDefaultWithSelfSignedCerts("localhost", []string{"kubernetes", "kubernetes.default.svc"}, []net.IP{netutils.ParseIPSloppy("127.0.0.1")}); err != nil {
		return err
	}
	o.etcd.StorageConfig.Codec = internalCodec{storageCodecs.LegacyCodec(groupVersions...)}

	config := genericapiserver.NewRecommendedConfig(Codecs)
	for _, apply := range []func() error{
		func() error { return o.run.ApplyTo(&config.Config) },
		func() error { return o.etcd.ApplyTo(&config.Config) },
		func() error { return o.serving.ApplyToConfig(&config.Config) },
		func() error { return o.audit.ApplyTo(&config.Config) },
	} {
		if err := apply(); err != nil {
			return err
		}
	}
	config.LoopbackClientConfig.DisableCompression = true
	config.LoopbackClientConfig.QPS, config.LoopbackClientConfig.Burst = -1, -1
	client, err := kubernetes.NewForConfig(config.LoopbackClientConfig)
	if err != nil {
		return err
	}
	dyn, err := dynamic.NewForConfig(config.LoopbackClientConfig)
	if err != nil {
		return err
	}
	shared := informers.NewSharedInformerFactory(client, 10*time.Minute)
	config.SharedInformerFactory, config.ClientConfig = shared, config.LoopbackClientConfig
	if err := o.features.ApplyTo(&config.Config, client, shared); err != nil {
		return err
	}

	// ---- authentication
	if len(o.issuers) == 0 {
		o.issuers = []string{"https://kubernetes.default.svc.cluster.local"}
	}
	if len(o.audiences) == 0 {
		o.audiences = o.issuers
	}
	t := &tokens{issuers: o.issuers, audiences: o.audiences, accounts: shared.Core().V1().ServiceAccounts().Lister(),
		pods: shared.Core().V1().Pods().Lister(), secrets: shared.Core().V1().Secrets().Lister()}
	if t.key, t.public, err = loadKeys(o.signingKey, o.keys); err != nil {
		return err
	}
	bearer := []authenticator.Token{t}
	if o.tokenFile != "" {
		f, err := tokenfile.NewCSV(o.tokenFile)
		if err != nil {
			return err
		}
		bearer = append(bearer, authenticator.WrapAudienceAgnosticToken(o.audiences, f))
	}
	allTokens := group.NewTokenGroupAdder(tokenunion.New(bearer...), []string{user.AllAuthenticated})
	var requests []authenticator.Request
	if o.proxyCA != "" {
		ca, err := dynamiccertificates.NewDynamicCAContentFromFile("request-header", o.proxyCA)
		if err != nil {
			return err
		}
		if err := config.Authentication.ApplyClientCert(ca, config.SecureServing); err != nil {
			return err
		}
		static := func(s []string) headerrequest.StringSliceProvider { return headerrequest.StaticStringSlice(s) }
		requests = append(requests, headerrequest.NewDynamicVerifyOptionsSecure(ca.VerifyOptions, static(o.proxyNames),
			static(o.proxyUser), static(o.proxyUID), static(o.proxyGroup), static(o.proxyExtra)))
	}
	if o.clientCA != "" {
		ca, err := dynamiccertificates.NewDynamicCAContentFromFile("client-ca-bundle", o.clientCA)
		if err != nil {
			return err
		}
		if err := config.Authentication.ApplyClientCert(ca, config.SecureServing); err != nil {
			return err
		}
		requests = append(requests, x509.NewDynamic(ca.VerifyOptions, x509.CommonNameUserConversion))
	}
	requests = append(requests, bearertoken.New(allTokens), websocket.NewProtocolAuthenticator(allTokens))
	auth := group.NewAuthenticatedGroupAdder(union.New(requests...))
	if o.anonymous {
		auth = union.NewFailOnError(auth, anonymous.NewAuthenticator(([]apiserver.AnonymousAuthCondition)(nil)))
	}
	config.Authentication.APIAudiences = o.audiences
	config.Authentication.Authenticator = auth

	// ---- authorization
	r := shared.Rbac().V1()
	rbac := rbacauthorizer.New(&rbacauthorizer.RoleGetter{Lister: r.Roles().Lister()}, &rbacauthorizer.RoleBindingLister{Lister: r.RoleBindings().Lister()},
		&rbacauthorizer.ClusterRoleGetter{Lister: r.ClusterRoles().Lister()}, &rbacauthorizer.ClusterRoleBindingLister{Lister: r.ClusterRoleBindings().Lister()})
	resolver := rbacvalidation.NewDefaultRuleResolver(&rbacauthorizer.RoleGetter{Lister: r.Roles().Lister()}, &rbacauthorizer.RoleBindingLister{Lister: r.RoleBindings().Lister()},
		&rbacauthorizer.ClusterRoleGetter{Lister: r.ClusterRoles().Lister()}, &rbacauthorizer.ClusterRoleBindingLister{Lister: r.ClusterRoleBindings().Lister()})
	authorization, err := o.authorization.configuration()
	if err != nil {
		return err
	}
	if config.Authorization.Authorizer, config.RuleResolver, err = authorizers(authorization, rbac); err != nil {
		return err
	}

	// ---- admission, API documents
	if err := o.admission.ApplyTo(&config.Config, shared, client, dyn, utilfeature.DefaultFeatureGate, config.EffectiveVersion); err != nil {
		return err
	}
	namer := openapinamer.NewDefinitionNamer(Scheme, apiextensionsapiserver.Scheme, clientscheme.Scheme)
	defs := openapi.GetOpenAPIDefinitionsWithoutDisabledFeatures(definitions)
	documents := func(c *genericapiserver.Config) {
		c.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(defs, namer)
		c.OpenAPIConfig.Info.Title = "Kubernetes"
		c.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(defs, namer)
		c.OpenAPIV3Config.Info.Title = "Kubernetes"
	}
	documents(&config.Config)
	config.AggregatedDiscoveryGroupManager = aggregated.NewResourceManager("apis")

	// ---- custom resources
	crdConfig := *config
	crdConfig.PostStartHooks = map[string]genericapiserver.PostStartHookConfigEntry{}
	crdConfig.RESTOptionsGetter = nil
	documents(&crdConfig.Config)
	crdEtcd := *o.etcd
	crdEtcd.SkipHealthEndpoints = true
	crdEtcd.StorageConfig.Codec = apiextensionsapiserver.Codecs.LegacyCodec(apiextensionsv1.SchemeGroupVersion)
	if err := crdEtcd.ApplyTo(&crdConfig.Config); err != nil {
		return err
	}
	if err := o.enablement.ApplyTo(&crdConfig.Config, apiextensionsapiserver.DefaultAPIResourceConfigSource(), apiextensionsapiserver.Scheme); err != nil {
		return err
	}
	crds, err := (&apiextensionsapiserver.Config{
		GenericConfig: &crdConfig,
		ExtraConfig: apiextensionsapiserver.ExtraConfig{
			CRDRESTOptionsGetter: apiextensionsoptions.NewCRDRESTOptionsGetter(crdEtcd, crdConfig.ResourceTransformers, crdConfig.StorageObjectCountTracker),
			MasterCount:          1,
			ServiceResolver:      webhook.NewDefaultServiceResolver(),
			AuthResolverWrapper:  webhook.NewDefaultAuthenticationInfoResolverWrapper(nil, nil, config.LoopbackClientConfig, noopoteltrace.NewTracerProvider()),
		},
	}).Complete().New(genericapiserver.NewEmptyDelegate())
	if err != nil {
		return err
	}

	// ---- built-in resources, in front of the custom ones
	config.EnableDiscovery, config.SkipOpenAPIInstallation = false, true
	server, err := config.Complete().New("kube-apiserver", crds.GenericAPIServer)
	if err != nil {
		return err
	}
	if err := install(server, &config.Config, t, allTokens, resolver); err != nil {
		return err
	}
	legacy := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		legacyDiscovery(w, req, config.AggregatedDiscoveryGroupManager)
	})
	server.Handler.GoRestfulContainer.Add(aggregated.WrapAggregatedDiscoveryToHandler(legacy, config.AggregatedDiscoveryGroupManager, config.AggregatedDiscoveryGroupManager).
		GenerateWebService("/apis", metav1.APIGroupList{}))

	server.Handler.NonGoRestfulMux.Handle("/.well-known/openid-configuration", t.document(t.configuration()))
	server.Handler.NonGoRestfulMux.Handle("/openid/v1/jwks", t.document(t.keySet()))

	ready := make(chan struct{})
	if err := server.AddReadyzChecks(healthz.NamedCheck("bootstrap", func(*http.Request) error {
		select {
		case <-ready:
			return nil
		default:
			return fmt.Errorf("not finished")
		}
	})); err != nil {
		return err
	}
	server.AddPostStartHookOrDie("bootstrap", func(hook genericapiserver.PostStartHookContext) error {
		go func() {
			_ = wait.PollUntilContextCancel(hook, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
				if err := bootstrap(ctx, client, usesRBAC(authorization)); err != nil {
					klog.V(1).InfoS("bootstrap will be tried again", "err", err)
					return false, nil
				}
				close(ready)
				return true, nil
			})
		}()
		return nil
	})

	prepared := server.PrepareRun()
	installOpenAPI(server, crds.GenericAPIServer, &config.Config)
	return prepared.RunWithContext(ctx)
}

// install installs the built-in API groups.
func install(server *genericapiserver.GenericAPIServer, config *genericapiserver.Config, t *tokens, auth authenticator.Token, resolver rbacvalidation.AuthorizationRuleResolver) error {
	groups := map[string]*genericapiserver.APIGroupInfo{}
	var order []string
	group := func(gv schema.GroupVersion) map[string]rest.Storage {
		info := groups[gv.Group]
		if info == nil {
			i := genericapiserver.NewDefaultAPIGroupInfo(gv.Group, Scheme, metav1.ParameterCodec, Codecs)
			info = &i
			groups[gv.Group] = info
			order = append(order, gv.Group)
		}
		if info.VersionedResourcesStorageMap[gv.Version] == nil {
			info.VersionedResourcesStorageMap[gv.Version] = map[string]rest.Storage{}
		}
		return info.VersionedResourcesStorageMap[gv.Version]
	}
	stores := map[string]*store{}
	for _, r := range resources {
		s, err := newStore(r, config.RESTOptionsGetter)
		if err != nil {
			return fmt.Errorf("%s: %w", r.plural, err)
		}
		stores[r.gr().String()] = s
		m := group(r.gv)
		m[r.plural] = s
		if r.status {
			m[r.plural+"/status"] = newSubresource(s, "status")
		}
		if r.scale {
			m[r.plural+"/scale"] = scaleREST{&scale{s}}
		}
		switch {
		case r.plural == "namespaces":
			m[r.plural] = &namespaces{s}
			m["namespaces/finalize"] = finalize{newSubresource(s, "finalize")}
		case r.plural == "certificatesigningrequests":
			m[r.plural+"/approval"] = newSubresource(s, "approval")
		case r.gv.Group == rbacv1.GroupName:
			m[r.plural] = &checked{s, escalationCheck(r, config.Authorization.Authorizer, resolver)}
		}
	}
	core := group(corev1.SchemeGroupVersion)
	core["serviceaccounts/token"] = tokenRequest{t, stores["serviceaccounts"], stores["pods"], stores["secrets"]}
	core["pods/eviction"] = eviction{stores["pods"]}
	core["pods/binding"] = binding{stores["pods"]}
	group(eventsv1.SchemeGroupVersion)["events"] = stores["events"]
	for k, v := range authenticationStorage(auth, config.Authentication.APIAudiences) {
		group(authenticationv1.SchemeGroupVersion)[k] = v
	}
	for k, v := range authorizationStorage(config.Authorization.Authorizer, config.RuleResolver) {
		group(authorizationv1.SchemeGroupVersion)[k] = v
	}
	if err := server.InstallLegacyAPIGroup(genericapiserver.DefaultLegacyAPIPrefix, groups[""]); err != nil {
		return err
	}
	var infos []*genericapiserver.APIGroupInfo
	for _, g := range order {
		if g != "" {
			infos = append(infos, groups[g])
		}
	}
	return server.InstallAPIGroups(infos...)
}

// legacyDiscovery shows the aggregated list of groups in its older form.
func legacyDiscovery(w http.ResponseWriter, req *http.Request, all http.Handler) {
	inner := req.Clone(req.Context())
	inner.Header = http.Header{"Accept": {"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}}
	rec := httptest.NewRecorder()
	all.ServeHTTP(rec, inner)
	var list apidiscoveryv2.APIGroupDiscoveryList
	if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	out := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: []metav1.APIGroup{}}
	for _, g := range list.Items {
		group := metav1.APIGroup{Name: g.Name}
		for _, v := range g.Versions {
			group.Versions = append(group.Versions, metav1.GroupVersionForDiscovery{GroupVersion: g.Name + "/" + v.Version, Version: v.Version})
		}
		if len(group.Versions) > 0 {
			group.PreferredVersion = group.Versions[0]
			out.Groups = append(out.Groups, group)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// installOpenAPI serves the documents of the built-in resources (v2, v3) and of the custom ones (v3).
func installOpenAPI(server, crds *genericapiserver.GenericAPIServer, config *genericapiserver.Config) {
	routes.OpenAPI{Config: config.OpenAPIConfig}.InstallV2(server.Handler.GoRestfulContainer, server.Handler.NonGoRestfulMux)
	own := mux.NewPathRecorderMux("openapi")
	routes.OpenAPI{V3Config: config.OpenAPIV3Config}.InstallV3(server.Handler.GoRestfulContainer, own)
	custom := crds.Handler.NonGoRestfulMux

	paths := func(h http.Handler, req *http.Request) map[string]interface{} {
		inner := req.Clone(req.Context())
		inner.Header = http.Header{"Accept": {"application/json"}}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, inner)
		var doc struct {
			Paths map[string]interface{} `json:"paths"`
		}
		_ = json.Unmarshal(rec.Body.Bytes(), &doc)
		return doc.Paths
	}
	server.Handler.NonGoRestfulMux.HandleFunc("/openapi/v3", func(w http.ResponseWriter, req *http.Request) {
		merged := paths(custom, req)
		if merged == nil {
			merged = map[string]interface{}{}
		}
		for k, v := range paths(own, req) {
			merged[k] = v
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]interface{}{"paths": merged})
	})
	server.Handler.NonGoRestfulMux.HandlePrefix("/openapi/v3/", http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		root := req.Clone(req.Context())
		root.URL.Path = "/openapi/v3"
		if _, ok := paths(own, root)[strings.TrimPrefix(req.URL.Path, "/openapi/v3/")]; ok {
			own.ServeHTTP(w, req)
			return
		}
		custom.ServeHTTP(w, req)
	}))
}

// bootstrap creates the system namespaces and the default roles and bindings.
func bootstrap(ctx context.Context, client kubernetes.Interface, useRBAC bool) error {
	ok := func(err error) error {
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	}
	for _, ns := range []string{"kube-system", "kube-public", "kube-node-lease", "default"} {
		if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{}); ok(err) != nil {
			return err
		}
	}
	if !useRBAC {
		return nil
	}
	files, err := bootstrapFiles.ReadDir("bootstrap")
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := bootstrapFiles.ReadFile("bootstrap/" + f.Name())
		if err != nil {
			return err
		}
		var list struct{ Items []json.RawMessage }
		if err := yaml.Unmarshal(data, &list); err != nil {
			return err
		}
		for _, item := range list.Items {
			obj, _, err := Codecs.UniversalDeserializer().Decode(item, nil, nil)
			if err != nil {
				return err
			}
			switch o := obj.(type) {
			case *rbacv1.ClusterRole:
				if o.Name == "system:basic-user" { // this kind of review is newer than the files
					o.Rules = append(o.Rules, rbacv1.PolicyRule{APIGroups: []string{authenticationv1.GroupName}, Resources: []string{"selfsubjectreviews"}, Verbs: []string{"create"}})
				}
				_, err = client.RbacV1().ClusterRoles().Create(ctx, o, metav1.CreateOptions{})
			case *rbacv1.ClusterRoleBinding:
				_, err = client.RbacV1().ClusterRoleBindings().Create(ctx, o, metav1.CreateOptions{})
			case *rbacv1.Role:
				_, err = client.RbacV1().Roles(o.Namespace).Create(ctx, o, metav1.CreateOptions{})
			case *rbacv1.RoleBinding:
				_, err = client.RbacV1().RoleBindings(o.Namespace).Create(ctx, o, metav1.CreateOptions{})
			}
			if ok(err) != nil {
				return err
			}
		}
	}
	return nil
}
