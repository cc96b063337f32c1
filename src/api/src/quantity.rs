//! The arithmetic of steps: "a number or a percentage" of a workload, and the share of traffic. Everyone who turns a step into pods or weights
//! uses this one, so that the workload, the checks and the command line agree on how many "20%" of seven pods are.

use crate::parts::IntOrString;

/// Why a quantity could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The text is neither a number nor a percentage.
    #[error("\"{0}\" is not a percentage; write a whole number followed by %, as in \"20%\"")]
    NotAPercentage(String),
    /// A share of traffic outside 0 to 100.
    #[error("{0}% is not a share of traffic; write 0% to 100%")]
    NotAShare(i32),
}

/// Reads `"20%"`. Whole percents only, as Kubernetes does.
///
/// # Errors
/// When the text has another form.
pub fn percent(text: &str) -> Result<i32, QuantityError> {
    text.strip_suffix('%')
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| QuantityError::NotAPercentage(text.to_owned()))
}

/// How many of `total` a quantity is: the number itself, or the percentage of `total` rounded **up**. It may exceed `total`.
///
/// # Errors
/// When the quantity is a text that is not a percentage.
pub fn scaled(quantity: &IntOrString, total: i32) -> Result<i32, QuantityError> {
    match quantity {
        IntOrString::Int(number) => Ok(*number),
        IntOrString::String(text) => Ok(share_up(percent(text)?, total)),
    }
}

/// `percents` of `total`, rounded up, kept within 32 bits.
pub fn share_up(percents: i32, total: i32) -> i32 {
    let product = i64::from(percents) * i64::from(total);
    let up = product.div_euclid(100) + i64::from(product.rem_euclid(100) != 0);
    up.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// A share of traffic, 0 to 100 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u8);

impl Weight {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self(100);

    /// A share from its percents.
    ///
    /// # Errors
    /// When it is below 0 or above 100.
    pub fn new(percents: i32) -> Result<Self, QuantityError> {
        match u8::try_from(percents) {
            Ok(share) if share <= 100 => Ok(Self(share)),
            _ => Err(QuantityError::NotAShare(percents)),
        }
    }

    /// A share from a step's `traffic`: `"20%"`.
    ///
    /// # Errors
    /// When the text is not a percentage, or one outside 0% to 100%.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        Self::new(percent(text)?)
    }

    /// The share in percent.
    pub fn percents(self) -> i32 {
        i32::from(self.0)
    }

    /// What is left for the other side.
    #[must_use]
    pub fn rest(self) -> Self {
        Self(100 - self.0)
    }
}

impl std::fmt::Display for Weight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", self.0)
    }
}
