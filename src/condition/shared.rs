//! Conditions that are in use, for many assignments have the same one.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Weak},
};

use parking_lot::Mutex;

use super::{Condition, Invalid};

type InUse = HashMap<Box<str>, Weak<Condition>>;

/// By their texts. What is no longer in use is left out when there is no room for another.
static IN_USE: LazyLock<Mutex<InUse>> = LazyLock::new(Mutex::default);

impl Condition {
    /// The condition of this text: the same one for as long as it is in use anywhere.
    ///
    /// # Errors
    /// As of [`Condition::new`].
    pub fn shared(text: &str) -> Result<Arc<Self>, Invalid> {
        if let Some(condition) = IN_USE.lock().get(text).and_then(Weak::upgrade) {
            return Ok(condition);
        }
        let condition = Arc::new(Self::new(text)?);
        let mut in_use = IN_USE.lock();
        // Somebody else may have compiled it meanwhile.
        if let Some(condition) = in_use.get(text).and_then(Weak::upgrade) {
            return Ok(condition);
        }
        if in_use.len() == in_use.capacity() {
            in_use.retain(|_, condition| condition.strong_count() > 0);
        }
        in_use.insert(text.into(), Arc::downgrade(&condition));
        Ok(condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_compiled_once_for_as_long_as_it_is_in_use() {
        let one = Condition::shared("context.shared == 1").unwrap();
        assert!(Arc::ptr_eq(&one, &Condition::shared("context.shared == 1").unwrap()));
        assert!(!Arc::ptr_eq(&one, &Condition::shared("context.shared == 2").unwrap()));
        assert!(Condition::shared("context.shared ==").is_err());
        for number in 0..10_000 {
            let _ = Condition::shared(&format!("context.passing == {number}")).unwrap();
        }
        assert!(Arc::ptr_eq(&one, &Condition::shared("context.shared == 1").unwrap()));
        assert!(IN_USE.lock().len() < 1_000, "what is no longer in use is forgotten");
    }
}
