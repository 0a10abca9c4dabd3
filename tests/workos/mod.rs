//! What the WorkOS Authorization API promises, over a folder of manifests that is really written.
