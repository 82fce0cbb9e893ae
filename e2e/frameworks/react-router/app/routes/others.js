const notFound = () => new Response("not found", { status: 404 });

export const loader = notFound;
export const action = notFound;
