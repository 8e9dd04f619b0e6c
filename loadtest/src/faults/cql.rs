//! As much of CQL's native protocol (version 4) as wiping tables needs: what an operator would type into `cqlsh`.

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const STARTUP: u8 = 1;
const READY: u8 = 2;
const QUERY: u8 = 7;
const ERROR: u8 = 0;
const RESULT: u8 = 8;
const CONSISTENCY_ONE: u16 = 1;
const ROWS: i32 = 2;
const GLOBAL_TABLE: i32 = 1;
/// Answers that are longer are not ours.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// One connection to one node.
pub(crate) struct Cql {
    stream: TcpStream,
}

impl Cql {
    pub(crate) async fn connect(node: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(node).await.with_context(|| format!("no connection to {node}"))?;
        let mut cql = Self { stream };
        let mut body = 1_u16.to_be_bytes().to_vec();
        put_text(&mut body, "CQL_VERSION")?;
        put_text(&mut body, "3.0.0")?;
        match cql.ask(STARTUP, &body).await? {
            (READY, _) => Ok(cql),
            (code, _) => bail!("{node} wants to be greeted otherwise (opcode {code})"),
        }
    }

    /// Runs a statement; gives the rows' first column, which must be text.
    pub(crate) async fn run(&mut self, statement: &str) -> anyhow::Result<Vec<String>> {
        let mut body = i32::try_from(statement.len())?.to_be_bytes().to_vec();
        body.extend(statement.as_bytes());
        body.extend(CONSISTENCY_ONE.to_be_bytes());
        body.push(0);
        match self.ask(QUERY, &body).await? {
            (RESULT, answer) => read_rows(&answer).with_context(|| statement.to_owned()),
            (ERROR, answer) => {
                bail!("{statement}: {}", String::from_utf8_lossy(answer.get(6..).unwrap_or_default()))
            }
            (code, _) => bail!("{statement}: unexpected opcode {code}"),
        }
    }

    async fn ask(&mut self, opcode: u8, body: &[u8]) -> anyhow::Result<(u8, Vec<u8>)> {
        let mut frame = vec![4, 0, 0, 0, opcode];
        frame.extend(u32::try_from(body.len())?.to_be_bytes());
        frame.extend(body);
        self.stream.write_all(&frame).await?;
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) as usize;
        if length > MAX_ANSWER_BYTES {
            bail!("an answer of {length} bytes");
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).await?;
        Ok((head[4], answer))
    }
}

fn put_text(body: &mut Vec<u8>, text: &str) -> anyhow::Result<()> {
    body.extend(u16::try_from(text.len())?.to_be_bytes());
    body.extend(text.as_bytes());
    Ok(())
}

/// Reads a RESULT of text columns.
fn read_rows(answer: &[u8]) -> anyhow::Result<Vec<String>> {
    let mut rest = Rest(answer);
    if rest.int()? != ROWS {
        return Ok(Vec::new());
    }
    let (flags, columns) = (rest.int()?, rest.int()?);
    if flags != GLOBAL_TABLE || columns != 1 {
        bail!("rows of another shape: flags {flags}, {columns} columns");
    }
    // Keyspace, table, column; then the column's type.
    for _ in 0..3 {
        let length = rest.short()?;
        rest.take(length)?;
    }
    rest.short()?;
    let mut rows = Vec::new();
    for _ in 0..rest.int()? {
        let length = usize::try_from(rest.int()?)?;
        rows.push(String::from_utf8(rest.take(length)?.to_vec())?);
    }
    Ok(rows)
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> anyhow::Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).context("the answer ends early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn int(&mut self) -> anyhow::Result<i32> {
        let bytes = self.take(4)?;
        Ok(i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn short(&mut self) -> anyhow::Result<usize> {
        let bytes = self.take(2)?;
        Ok(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_text_column_are_read() {
        let mut answer = Vec::new();
        for number in [ROWS, GLOBAL_TABLE, 1] {
            answer.extend(number.to_be_bytes());
        }
        for name in ["system_schema", "tables", "table_name"] {
            put_text(&mut answer, name).unwrap();
        }
        answer.extend(13_u16.to_be_bytes());
        answer.extend(2_i32.to_be_bytes());
        for row in ["sessions", "objects"] {
            answer.extend(i32::try_from(row.len()).unwrap().to_be_bytes());
            answer.extend(row.as_bytes());
        }
        assert_eq!(read_rows(&answer).unwrap(), ["sessions", "objects"]);
        assert!(read_rows(&answer[..answer.len() - 1]).is_err());
        assert_eq!(read_rows(&1_i32.to_be_bytes()).unwrap(), Vec::<String>::new());
    }
}
