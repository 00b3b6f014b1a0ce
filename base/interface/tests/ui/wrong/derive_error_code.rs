/// Code 0.
#[derive(base::ErrorCode)]
pub enum Zero {
    /// One.
    One = 0,
}

/// Too large.
#[derive(base::ErrorCode)]
pub enum Large {
    /// One.
    One = 256,
}

/// No enum.
#[derive(base::ErrorCode)]
pub struct Struct;

fn main() {}
