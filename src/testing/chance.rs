//! Chance that is none: everything follows from one seed.

/// SplitMix64 (G. L. Steele et al., "Fast Splittable Pseudorandom Number Generators", 2014).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// Below `bound`; 0 if that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        let drawn = self.next().checked_rem(bound).unwrap_or_default();
        usize::try_from(drawn).unwrap_or_default()
    }

    /// From `least` to `greatest`, both inclusive.
    pub(crate) fn between(&mut self, least: usize, greatest: usize) -> usize {
        least + self.below(greatest.saturating_sub(least) + 1)
    }

    /// True so many times in a thousand.
    pub(crate) fn hits(&mut self, per_mille: u32) -> bool {
        self.next() % 1000 < u64::from(per_mille)
    }

    /// One of several, by weight.
    pub(crate) fn pick<T: Copy>(&mut self, weighted: &[(u32, T)]) -> Option<T> {
        let total: u32 = weighted.iter().map(|(weight, _)| weight).sum();
        let mut at = u64::from(total).checked_sub(1).map(|_| self.next() % u64::from(total))?;
        for (weight, thing) in weighted {
            match at.checked_sub(u64::from(*weight)) {
                None => return Some(*thing),
                Some(rest) => at = rest,
            }
        }
        None
    }
}

/// Spreads the bits of a number.
pub(crate) const fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A sum over bytes for comparing what was written; nobody here tries to make two alike.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sum(pub(crate) u64);

impl core::hash::Hasher for Sum {
    fn finish(&self) -> u64 {
        mixed(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.0 = self.0.rotate_left(23).wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
}

/// The sum of a value.
pub(crate) fn sum(value: &impl core::hash::Hash) -> u64 {
    let mut sum = Sum::default();
    value.hash(&mut sum);
    core::hash::Hasher::finish(&sum)
}
