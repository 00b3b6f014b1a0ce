/// An interface.
#[base::interface(id = 1000)]
pub trait Interface {
    /// Generic.
    #[operation(1)]
    fn generic<T>(&mut self, value: T);
    /// With a lifetime.
    #[operation(2, encoded)]
    fn named<'b>(&mut self, value: &'b str);
    /// Async.
    #[operation(3)]
    async fn later(&mut self);
    /// By value.
    #[operation(4)]
    fn consume(self);
    /// By shared reference.
    #[operation(5)]
    fn shared(&self);
    /// Without a server.
    #[operation(6)]
    fn alone(value: u32);
    /// With a default.
    #[operation(7)]
    fn default(&mut self) {}
    /// Unsafe.
    #[operation(8)]
    unsafe fn risky(&mut self);
    /// Not in every build.
    #[cfg(test)]
    #[operation(9)]
    fn sometimes(&mut self);
    /// A pattern.
    #[operation(10)]
    fn pattern(&mut self, (a, b): (u32, u32));
}

fn main() {}
