//! The bodies of SubjectAccessReviews.
#![no_main]

use std::sync::LazyLock;

use bailiwick::server::Mapping;
use bailiwick_fuzz::WORLD;
use libfuzzer_sys::fuzz_target;

/// Whatever is asked about is a question about a resource of that name.
static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    let text = "
        rules:
        - apiGroups: ['*']
          resources: ['*']
          verbs: ['*']
          permission: '{resource}:{verb}'
          resource: {type: '{resource}', id: '{name}'}
        - nonResourceURLs: ['*']
          verbs: ['*']
          permission: 'project:{verb}'
          resource: {type: project, id: '{path}'}
    ";
    Mapping::parse(text).expect("a mapping")
});

fuzz_target!(|data: &[u8]| {
    WORLD.review_access(MAPPING.clone(), data);
});
