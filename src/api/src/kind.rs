//! The shape that every kind of the group shares (`apiVersion`, `kind`, `metadata`, `spec`, perhaps `status`), written once. Used by the version
//! modules. A macro rather than kube's derive, because the derived object cannot be read without a `spec`, and the schema allows one: a single
//! such object would then stop every list and watch of its kind.

/// Declares one kind of the group as a struct that kube's `Api` can use.
macro_rules! kind {
    (
        $(#[$doc:meta])*
        $name:ident in $version:literal, plural $plural:literal, scope $scope:ident, spec $spec:ty $(, status $status:ty)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// Group and version, as read; a list's items may leave it out.
            #[serde(default)]
            pub api_version: String,
            /// The kind, as read; a list's items may leave it out.
            #[serde(default)]
            pub kind: String,
            /// Standard object metadata.
            #[serde(default)]
            pub metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
            /// What is wanted.
            #[serde(default)]
            pub spec: $spec,
            $(
                /// What was seen; written by the controller only.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub status: Option<$status>,
            )?
        }

        impl $name {
            /// The object's kind.
            pub const KIND: &'static str = stringify!($name);
            /// The object's `apiVersion`.
            pub const API_VERSION: &'static str = concat!("rollouts.kruise.io/", $version);
            /// The plural name, as in URLs.
            pub const PLURAL: &'static str = $plural;

            /// An object called `name` that wants `spec`; no namespace, no status.
            pub fn new(name: &str, spec: $spec) -> Self {
                let mut object = Self { spec, ..Self::default() };
                object.metadata.name = Some(name.to_owned());
                object
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    api_version: Self::API_VERSION.to_owned(),
                    kind: Self::KIND.to_owned(),
                    metadata: Default::default(),
                    spec: Default::default(),
                    $(status: None::<$status>,)?
                }
            }
        }

        impl kube::Resource for $name {
            type DynamicType = ();
            type Scope = k8s_openapi::$scope;

            fn kind(_: &()) -> std::borrow::Cow<'_, str> {
                Self::KIND.into()
            }
            fn group(_: &()) -> std::borrow::Cow<'_, str> {
                $crate::names::GROUP.into()
            }
            fn version(_: &()) -> std::borrow::Cow<'_, str> {
                $version.into()
            }
            fn plural(_: &()) -> std::borrow::Cow<'_, str> {
                $plural.into()
            }
            fn meta(&self) -> &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

pub(crate) use kind;
