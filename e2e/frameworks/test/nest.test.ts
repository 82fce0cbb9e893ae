import "reflect-metadata";
import { PassThrough } from "node:stream";
import { type Hooks, type KitPawl, type KitPayload, testAdapter } from "@pawl/adapter-conformance";
import type { Session } from "@pawl/node";
import { forNest } from "@pawl/node/nest";
import {
  Controller,
  Delete,
  Get,
  HttpCode,
  type INestApplication,
  Module,
  Post,
  Query,
  Redirect,
  Req,
  Res,
  StreamableFile,
  UseGuards,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";

type Response = Parameters<ReturnType<typeof forNest<KitPayload, object, KitPayload, object>>["signOut"]>[1];
const setCookie = (response: Response, line: string): void => {
  if ("raw" in response) response.headers({ "set-cookie": line });
  else response.setHeader("set-cookie", line);
};

const application = (pawl: KitPawl, { wait }: Hooks) => {
  const { routes, errors, createSession, getSession, requireSession, signOut, CurrentSession } = forNest(pawl);

  @Controller()
  class Kit {
    @Get("public")
    public(): string {
      return "public";
    }

    @Post("login")
    @HttpCode(200)
    async login(@Req() request: object, @Res({ passthrough: true }) response: Response, @Query("role") role: string) {
      setCookie(response, "app=1");
      await createSession(request, response, {
        userId: "alice",
        payload: { role: role === "admin" ? "admin" : "user" },
      });
      return {};
    }

    @Get("me")
    @UseGuards(requireSession())
    me(@CurrentSession() { userId, payload }: Session<KitPayload>): object {
      return { userId, role: payload.role };
    }

    @Get("maybe")
    async maybe(@Req() request: object, @Res({ passthrough: true }) response: Response) {
      return { userId: (await getSession(request, response))?.userId ?? null };
    }

    @Delete("users/:id")
    @UseGuards(requireSession({ where: ({ payload }) => payload.role === "admin" }))
    remove(): object {
      return {};
    }

    @Post("save")
    @HttpCode(200)
    @UseGuards(requireSession())
    async save(@CurrentSession() session: Session<KitPayload>) {
      await session.updatePayload({ role: "admin" });
      return {};
    }

    @Get("vault")
    @UseGuards(requireSession({ maxAge: "10m", actor: false }))
    vault(): object {
      return {};
    }

    @Post("confirm")
    @HttpCode(200)
    @UseGuards(requireSession())
    async confirm(@CurrentSession() session: Session<KitPayload>) {
      await session.stepUp({ methods: ["otp"] });
      return {};
    }

    @Post("act")
    @HttpCode(200)
    @UseGuards(requireSession())
    async act(@CurrentSession() session: Session<KitPayload>) {
      if (session.actor) await session.actAsSelf();
      else await session.actAs({ userId: "bob", payload: { role: "user" }, reason: "for the test" });
      return {};
    }

    @Get("slow")
    @UseGuards(requireSession())
    async slow() {
      await wait();
      return {};
    }

    @Get("throws")
    @UseGuards(requireSession())
    throws(): never {
      throw new Error("for the test");
    }

    @Get("redirect")
    @UseGuards(requireSession())
    @Redirect("/public")
    redirect(@Res({ passthrough: true }) response: Response): void {
      setCookie(response, "app=2");
    }

    @Get("stream")
    @UseGuards(requireSession())
    stream(
      @Req() request: object,
      @Res({ passthrough: true }) response: Response,
      @CurrentSession() session: Session<KitPayload>,
    ): StreamableFile {
      const body = new PassThrough();
      body.write("one");
      const calls = {
        createSession: () => createSession(request, response, { userId: "alice", payload: { role: "user" } }),
        updatePayload: () => session.updatePayload({ role: "admin" }),
        signOut: () => signOut(request, response),
      };
      void wait(calls).then(() => body.end("two"));
      return new StreamableFile(body);
    }

    @Post("leave")
    @HttpCode(200)
    async leave(@Req() request: object, @Res({ passthrough: true }) response: Response) {
      await signOut(request, response);
      return {};
    }
  }

  @Module({ controllers: [Kit] })
  // oxlint-disable-next-line typescript/no-extraneous-class -- a module of Nest
  class Application {}

  const start = async (app: INestApplication) => {
    app.use(routes());
    app.useGlobalFilters(errors());
    await app.listen(0, "127.0.0.1");
    return { origin: await app.getUrl(), close: () => app.close() };
  };
  return { Application, start };
};

const options = { logger: false, forceCloseConnections: true } as const;

testAdapter("NestJS 12 on Express", async (pawl, hooks) => {
  const { Application, start } = application(pawl, hooks);
  return start(await NestFactory.create(Application, new ExpressAdapter(), options));
});

testAdapter("NestJS 12 on Fastify", async (pawl, hooks) => {
  const { Application, start } = application(pawl, hooks);
  return start(await NestFactory.create(Application, new FastifyAdapter({ forceCloseConnections: true }), options));
});
