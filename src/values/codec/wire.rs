//! CBOR items, one at a time: written in their shortest form, read without trust.

use alloc::vec::Vec;

use minicbor::{Decoder, data::Type, decode};

use super::DecodeError;
use crate::values::digest::Digest;

/// Bytes of the check at the end of an envelope.
const CHECK_BYTES: usize = 8;
/// Bytes of the item that holds the check.
pub(crate) const CHECK_ITEM_BYTES: usize = CHECK_BYTES + 1;

/// Writes items in their shortest form. Writing to memory can not fail, and here the types say so.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// With room for that many bytes, taken at once. It grows as needed.
    pub(crate) fn with_room_for(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(crate) fn null(&mut self) {
        self.0.push(0xf6);
    }

    pub(crate) fn bool(&mut self, yes: bool) {
        self.0.push(if yes { 0xf5 } else { 0xf4 });
    }

    pub(crate) fn uint(&mut self, number: u64) {
        self.head(0, number);
    }

    pub(crate) fn int(&mut self, number: i64) {
        match u64::try_from(number) {
            Ok(number) => self.head(0, number),
            Err(_) => self.head(1, (!number).unsigned_abs()),
        }
    }

    pub(crate) fn float(&mut self, number: f64) {
        self.0.push(0xfb);
        self.0.extend(number.to_bits().to_be_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.count(2, bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(3, text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn array(&mut self, items: usize) {
        self.count(4, items);
    }

    pub(crate) fn map(&mut self, entries: usize) {
        self.count(5, entries);
    }

    pub(crate) fn tag(&mut self, tag: u64) {
        self.head(6, tag);
    }

    /// Appends what is encoded already.
    pub(crate) fn raw(&mut self, encoded: &[u8]) {
        self.0.extend_from_slice(encoded);
    }

    /// Bytes so far.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Ends an envelope with the check of all before.
    pub(crate) fn finish_with_check(mut self, domain: &'static str) -> Vec<u8> {
        let check = check(domain, &self.0);
        self.bytes(&check);
        self.0
    }

    fn count(&mut self, major: u8, count: usize) {
        self.head(major, u64::try_from(count).unwrap_or(u64::MAX));
    }

    fn head(&mut self, major: u8, argument: u64) {
        let major = major << 5;
        let [a, b, c, d, e, f, g, h] = argument.to_be_bytes();
        match argument {
            0..=23 => self.0.push(major | h),
            24..=0xff => self.0.extend([major | 24, h]),
            0x100..=0xffff => self.0.extend([major | 25, g, h]),
            0x1_0000..=0xffff_ffff => self.0.extend([major | 26, e, f, g, h]),
            _ => self.0.extend([major | 27, a, b, c, d, e, f, g, h]),
        }
    }
}

fn check(domain: &'static str, bytes: &[u8]) -> [u8; CHECK_BYTES] {
    Digest::of(domain, &[bytes]).short().to_le_bytes()
}

/// Reads items from untrusted bytes. Whether they are in shortest form is seen by encoding again.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'b>(Decoder<'b>);

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(Decoder::new(bytes))
    }

    /// Enters an envelope: an array of `items`, a format, .., a check.
    ///
    /// # Errors
    /// [`DecodeError::UnknownFormat`] before anything else of it is looked at, then [`DecodeError::Damaged`].
    pub(crate) fn open(bytes: &'b [u8], domain: &'static str, items: usize) -> Result<Self, DecodeError> {
        let (reader, found) = Self::open_any(bytes, domain)?;
        if found == items { Ok(reader) } else { Err(reader.expected("an envelope of another length")) }
    }

    /// Enters an envelope and says how many items it has, the format and the check included.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn open_any(bytes: &'b [u8], domain: &'static str) -> Result<(Self, usize), DecodeError> {
        let mut reader = Self::new(bytes);
        let items = reader.count()?;
        match reader.uint()? {
            1 => {}
            found => return Err(DecodeError::UnknownFormat { found }),
        }
        let split = bytes.len().checked_sub(CHECK_BYTES).and_then(|at| bytes.split_at_checked(at));
        let (before, found) = split.ok_or(DecodeError::Damaged)?;
        match before.split_last() {
            Some((0x48, before)) if check(domain, before) == found => Ok((reader, items)),
            _ => Err(DecodeError::Damaged),
        }
    }

    /// Leaves an envelope, whose check was looked at on entering.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] where something stands between the last item and the check, or behind it.
    pub(crate) fn close(mut self) -> Result<(), DecodeError> {
        self.fixed::<CHECK_BYTES>()?;
        self.end()
    }

    /// The kind of the next item.
    pub(crate) fn kind(&self) -> Result<Type, DecodeError> {
        self.0.datatype().map_err(|_| self.expected("an item"))
    }

    pub(crate) fn null(&mut self) -> Result<(), DecodeError> {
        self.take("null", Decoder::null)
    }

    pub(crate) fn bool(&mut self) -> Result<bool, DecodeError> {
        self.take("true or false", Decoder::bool)
    }

    pub(crate) fn uint(&mut self) -> Result<u64, DecodeError> {
        self.take("a number from 0", Decoder::u64)
    }

    pub(crate) fn int(&mut self) -> Result<i64, DecodeError> {
        self.take("a number of 64 bits", Decoder::i64)
    }

    pub(crate) fn float(&mut self) -> Result<f64, DecodeError> {
        self.take("a float", Decoder::f64)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], DecodeError> {
        self.take("bytes", Decoder::bytes)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, DecodeError> {
        self.take("text", Decoder::str)
    }

    pub(crate) fn tag(&mut self) -> Result<u64, DecodeError> {
        self.take("a tag", |decoder| decoder.tag().map(|tag| tag.as_u64()))
    }

    /// Bytes of one fixed length.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let error = self.expected("bytes of another length");
        self.bytes()?.try_into().map_err(|_| error)
    }

    /// The length of a list. It is at most the bytes that are left, so looping over it ends soon.
    pub(crate) fn count(&mut self) -> Result<usize, DecodeError> {
        let count = self.take("a list of definite length", Decoder::array)?;
        self.possible(count)
    }

    /// The length of a map, with the bound of [`count`](Self::count).
    pub(crate) fn entries(&mut self) -> Result<usize, DecodeError> {
        let count = self.take("a map of definite length", Decoder::map)?;
        self.possible(count)
    }

    /// A list of one fixed length.
    pub(crate) fn tuple(&mut self, items: usize) -> Result<(), DecodeError> {
        let error = self.expected("a list of another length");
        if self.count()? == items { Ok(()) } else { Err(error) }
    }

    /// Passes over an item that holds no other; texts must be UTF-8.
    pub(crate) fn skip_scalar(&mut self) -> Result<(), DecodeError> {
        let error = self.expected("a simple value in its one form");
        if self.kind()? == Type::Simple {
            let start = self.position();
            let number = self.take("a simple value", Decoder::simple)?;
            let long = self.position().saturating_sub(start) > 1;
            return if long && number < 32 { Err(error) } else { Ok(()) };
        }
        self.take("an item", Decoder::skip)
    }

    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        if self.rest() == 0 { Ok(()) } else { Err(self.expected("the end")) }
    }

    pub(crate) fn position(&self) -> usize {
        self.0.position()
    }

    /// The bytes passed since `start`.
    pub(crate) fn since(&self, start: usize) -> &'b [u8] {
        self.0.input().get(start..self.position()).unwrap_or_default()
    }

    pub(crate) fn expected(&self, expected: &'static str) -> DecodeError {
        DecodeError::Malformed { expected, at: self.position() }
    }

    fn rest(&self) -> usize {
        self.0.input().len().saturating_sub(self.position())
    }

    fn possible(&self, count: Option<u64>) -> Result<usize, DecodeError> {
        count
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| *count <= self.rest())
            .ok_or_else(|| self.expected("as many items as declared"))
    }

    /// Takes one item, or leaves the position as it was.
    fn take<T>(
        &mut self,
        expected: &'static str,
        item: impl FnOnce(&mut Decoder<'b>) -> Result<T, decode::Error>,
    ) -> Result<T, DecodeError> {
        let error = self.expected(expected);
        let mut decoder = self.0.clone();
        let taken = item(&mut decoder).map_err(|_| error)?;
        self.0 = decoder;
        Ok(taken)
    }
}
