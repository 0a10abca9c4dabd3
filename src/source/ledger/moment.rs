//! Instants in half the room.

use crate::graph::facts::Timestamp;

/// An instant, to the nanosecond. What lies outside the years 1678 to 2261 is moved to the nearer end of them.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Moment(i64);

impl From<Timestamp> for Moment {
    fn from(instant: Timestamp) -> Self {
        let nanosecond = instant.as_nanosecond().clamp(i64::MIN.into(), i64::MAX.into());
        Self(i64::try_from(nanosecond).unwrap_or_default())
    }
}

impl From<Moment> for Timestamp {
    fn from(Moment(nanosecond): Moment) -> Self {
        Self::from_nanosecond(nanosecond.into()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_instant_and_in_the_same_order() {
        let instants = ["1969-12-31T23:59:59.000000001Z", "1970-01-01T00:00:00Z", "2026-01-31T12:00:00.123456789Z"];
        let instants = instants.map(|text| text.parse::<Timestamp>().unwrap());
        assert_eq!(instants.map(|instant| Timestamp::from(Moment::from(instant))), instants);
        let [first, last] = [Timestamp::MIN, Timestamp::MAX].map(Moment::from);
        assert!(instants.map(Moment::from).is_sorted());
        assert!(first < Moment::from(instants[0]) && Moment::from(instants[2]) < last);
    }
}
