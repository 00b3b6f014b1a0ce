/// An interface.
#[base::interface(id = 1000)]
pub trait Interface {
    /// No number at all.
    fn unnumbered(&mut self);
    /// No number in it.
    #[operation(idempotent)]
    fn unnumbered_too(&mut self);
    /// Zero.
    #[operation(0)]
    fn zero(&mut self);
    /// Too large.
    #[operation(256)]
    fn large(&mut self);
    /// Negative.
    #[operation(-1)]
    fn negative(&mut self);
    /// Two.
    #[operation(1)]
    #[operation(2)]
    fn two(&mut self);
    /// A mark that does not exist.
    #[operation(3, idempotant)]
    fn mistyped(&mut self);
    /// A mark twice.
    #[operation(4, encoded, encoded)]
    fn twice(&mut self);
}

fn main() {}
