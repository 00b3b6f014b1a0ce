//! From time to the picture: stretches in which something happens are drawn to scale, those between are cut short.

/// What is left of a stretch in which nothing happens, in pixels.
const BREAK: f64 = 26.0;
/// At most that much of a picture's width is for breaks.
const BREAKS: f64 = 0.4;
/// A stretch that would be longer than that many breaks is cut short.
const WORTH: f64 = 8.0;
/// Most pixels for a nanosecond: 40 for a microsecond, so that most requests have room for their names.
const LARGEST: f64 = 0.04;

/// A stretch of time in which something happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// When it begins.
    pub from: u64,
    /// When it ends.
    pub to: u64,
    /// Where it begins.
    pub x: f64,
}

/// Where each time lies in a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Ascending; never empty.
    pub stretches: Vec<Stretch>,
    /// Pixels a nanosecond.
    pub factor: f64,
    /// What lies between two stretches.
    pub gap: f64,
    /// Where the last one ends.
    pub width: f64,
}

impl Scale {
    /// A scale for these times, at which something happens, at most `most` pixels wide from `start` on.
    ///
    /// Times between two that are further apart than [`WORTH`] breaks are cut out; as that depends on the scale, and the scale
    /// on what is cut out, it is found in some rounds.
    pub fn new(mut times: Vec<u64>, start: f64, most: f64) -> Self {
        times.sort_unstable();
        times.dedup();
        if times.is_empty() {
            times.push(0);
        }
        let span = |stretches: &[(u64, u64)]| stretches.iter().map(|(from, to)| (to - from) as f64).sum::<f64>();
        let (mut factor, mut stretches) = (LARGEST, Vec::new());
        for _ in 0..8 {
            stretches = cut(&times, WORTH * BREAK / factor);
            let for_breaks = (BREAK * (stretches.len() - 1) as f64).min(BREAKS * most);
            let wanted = LARGEST.min((most - for_breaks) / span(&stretches).max(1.0));
            if (wanted - factor).abs() < factor * 1e-6 {
                break;
            }
            factor = wanted;
        }
        let breaks = stretches.len() - 1;
        let gap = if breaks == 0 { 0.0 } else { BREAK.min(BREAKS * most / breaks as f64) };
        // The last round may have cut less than the scale before it was made for.
        let factor = LARGEST.min((most - gap * breaks as f64) / span(&stretches).max(1.0));
        let mut x = start;
        let stretches: Vec<_> = stretches
            .into_iter()
            .map(|(from, to)| {
                let stretch = Stretch { from, to, x };
                x += (to - from) as f64 * factor + gap;
                stretch
            })
            .collect();
        Self { stretches, factor, gap, width: x - gap }
    }

    /// Where a time lies; the nearest place if it was cut out.
    pub fn x(&self, time: u64) -> f64 {
        let behind = self.stretches.partition_point(|stretch| stretch.from <= time);
        let stretch = &self.stretches[behind.saturating_sub(1)];
        stretch.x + (time.clamp(stretch.from, stretch.to) - stretch.from) as f64 * self.factor
    }

    /// Where a stretch ends.
    pub fn end(&self, stretch: &Stretch) -> f64 {
        stretch.x + (stretch.to - stretch.from) as f64 * self.factor
    }
}

/// The stretches between times that are not further apart than `longest`.
fn cut(times: &[u64], longest: f64) -> Vec<(u64, u64)> {
    let mut stretches = vec![(times[0], times[0])];
    for &time in &times[1..] {
        match stretches.last_mut() {
            Some((_, to)) if (time - *to) as f64 <= longest => *to = time,
            _ => stretches.push((time, time)),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn idle_time_is_cut_and_the_rest_is_to_scale() {
        let scale = Scale::new(vec![1_000, 2_000, 1_000_000_000, 1_000_000_500], 100.0, 5_000.0);
        assert_eq!(scale.factor, LARGEST);
        assert_eq!(
            [1_000, 2_000, 1_000_000_000, 1_000_000_500].map(|time| scale.x(time)),
            [100.0, 140.0, 166.0, 186.0]
        );
        assert_eq!(scale.x(500_000_000), 140.0);
        assert_eq!((scale.x(0), scale.x(u64::MAX), scale.width), (100.0, 186.0, 186.0));
    }

    #[test]
    fn nothing_has_a_scale_too() {
        assert_eq!(Scale::new(vec![], 7.0, 100.0).x(5), 7.0);
    }

    proptest! {
        #[test]
        fn later_is_never_further_left_and_all_fits(times in prop::collection::vec(0..1u64 << 47, 1..300)) {
            let scale = Scale::new(times.clone(), 50.0, 4_000.0);
            let mut sorted = times;
            sorted.sort_unstable();
            let places: Vec<_> = sorted.iter().map(|&time| scale.x(time)).collect();
            prop_assert!(places.is_sorted());
            prop_assert!(places[0] >= 50.0 && *places.last().unwrap() <= 4_050.1, "{:?}", scale.width);
        }
    }
}
