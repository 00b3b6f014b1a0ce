/// No number.
#[derive(base::Words)]
pub enum Unnumbered {
    /// One.
    One,
}

/// With a field.
#[derive(base::Words)]
#[repr(u32)]
pub enum Field {
    /// One.
    One(u32) = 1,
}

/// Generic.
#[derive(base::Words)]
pub struct Generic<T>(T);

fn main() {}
