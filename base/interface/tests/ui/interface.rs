/// An interface for the interposers.
#[base::interface(id = 1000)]
pub trait Interface {
    /// An operation.
    #[operation(1)]
    fn read(&mut self) -> u32;
    /// Another one.
    #[operation(2)]
    fn write(&mut self, value: u32);
    /// One that is never answered.
    #[operation(3, unanswered)]
    fn end(&mut self);
}
