/** The product's mark: a hook holding a thread. Decoration; the name always stands beside it. */
export function Mark({ size }: { size: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0f6a7b" />
      <path
        d="M10 8v16M22 8v9a4 4 0 0 1-4 4h-4"
        fill="none"
        stroke="#fff"
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="22" cy="9" r="2.6" fill="#8fdbe6" />
    </svg>
  );
}
