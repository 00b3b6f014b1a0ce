//! How a test says what was wrong.

use alloc::string::String;

/// What was not as it should be, and where it was noticed.
#[derive(Debug)]
pub struct Failure(pub String);

/// The result of a test.
pub type Outcome = Result<(), Failure>;

/// A test, and the name under which it is reported.
pub type Test = (&'static str, fn(&mut crate::Ground) -> Outcome);

/// The list of a module's tests: `tests! { module: name, … }`.
#[macro_export]
macro_rules! tests {
    ($module:path: $($name:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($name)), $name as fn(&mut $crate::Ground) -> $crate::Outcome)),*]
    };
}

macro_rules! from {
    ($($error:ty)*) => { $(
        impl From<$error> for Failure {
            #[track_caller]
            fn from(error: $error) -> Self {
                Self(alloc::format!("{error:?} at {}", core::panic::Location::caller()))
            }
        }
    )* };
}

from! { sel4::Error rtcr_core::objects::Exhausted }

/// Fails the test unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr $(, $($detail:tt)+)?) => {
        if !$condition {
            let detail = $crate::detail!($($($detail)+)?);
            return Err($crate::Failure($crate::outcome::__format!(
                "{}:{}: not true: {}{}", file!(), line!(), stringify!($condition), detail
            )));
        }
    };
}

/// Fails the test unless both are equal.
#[macro_export]
macro_rules! ensure_eq {
    ($left:expr, $right:expr $(, $($detail:tt)+)?) => {
        match (&$left, &$right) {
            (left, right) => {
                if left != right {
                    let detail = $crate::detail!($($($detail)+)?);
                    return Err($crate::Failure($crate::outcome::__format!(
                        "{}:{}: {} is {:?}, not {:?}{}", file!(), line!(), stringify!($left), left, right, detail
                    )));
                }
            }
        }
    };
}

/// The optional text of a check.
#[doc(hidden)]
#[macro_export]
macro_rules! detail {
    () => {
        ""
    };
    ($($detail:tt)+) => {
        $crate::outcome::__format!("; {}", $crate::outcome::__format!($($detail)+))
    };
}

#[doc(hidden)]
pub use alloc::format as __format;
