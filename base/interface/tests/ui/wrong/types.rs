/// An interface.
#[base::interface(id = 1000)]
pub trait Interface {
    /// Borrowed, in registers.
    #[operation(1)]
    fn borrowed(&mut self, text: &str);
    /// Lent.
    #[operation(2, encoded)]
    fn lent(&mut self, text: &mut [u8]);
    /// An address.
    #[operation(3)]
    fn pointer(&mut self, at: *const u8);
    /// Anything.
    #[operation(4, encoded)]
    fn anything(&mut self, value: impl Copy);
    /// A result that borrows.
    #[operation(5, encoded)]
    fn borrows(&mut self) -> &str;
    /// A result without its error.
    #[operation(6)]
    fn untold(&mut self) -> Result<u32>;
    /// A result of what is never answered.
    #[operation(7, unanswered)]
    fn never(&mut self) -> u32;
}

fn main() {}
