import { useMemo } from "react";
import { qrMatrix } from "./qr.ts";
import classes from "./SecondFactor.module.css";

/** The light edge that readers need, in modules. */
const QUIET = 4;

/** A QR code, dark on light whatever the page's colours: many readers know no other. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => {
    const matrix = qrMatrix(text);
    const squares = matrix.flatMap((row, y) =>
      row.flatMap((isDark, x) => (isDark ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])),
    );
    return { size: matrix.length + 2 * QUIET, path: squares.join("") };
  }, [text]);
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      className={classes.qr}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
